"""The door: Jupyter's own way of asking who somebody is, answered from our sessions."""

from __future__ import annotations

from typing import Any, cast

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, RequestHandler
from traitlets import Instance, List

from workbench.gallery.entrance import Entrance
from workbench.gallery.kernels import PageKernels
from workbench.gallery.sessions import Session

_COOKIE = "workbench-gallery"


class Door(IdentityProvider):
    """Who a request comes from: the session its cookie proves, and nothing else.

    Attributes:
        entrance: Where sessions begin and end.
        pages: What answers besides Voilà, as Tornado wants it.
    """

    entrance = Instance(Entrance, config=True)
    pages: Any = List(config=True)

    @property
    def auth_enabled(self) -> bool:
        """Always: nobody is let in unasked."""
        return True

    @property
    def token(self) -> str:
        """None: a token in an address would be in every log."""
        return ""

    @token.setter
    def token(self, _: object) -> None:
        """Voilà hands one on that it was not given."""

    def get_user(self, handler: RequestHandler) -> User | None:
        """The user of the session, if there is one that is good."""
        session = self.session_of(handler)
        return None if session is None else User(username=session.user)

    def session_of(self, handler: RequestHandler) -> Session | None:
        """The session that the request proves."""
        proof = handler.get_cookie(self.cookie_of(handler))
        return self.entrance.sessions.find(proof) if proof else None

    def cookie_of(self, handler: RequestHandler) -> str:
        """What the cookie is called: browsers share cookies between the ports of a machine."""
        port = handler.request.host.rpartition(":")[2]
        return f"{_COOKIE}-{port}" if port.isdecimal() else _COOKIE

    def admit(self, handler: RequestHandler, proof: str) -> None:
        """Let the browser keep *proof* of its session."""
        handler.set_cookie(
            self.cookie_of(handler),
            proof,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=handler.request.protocol == "https",
        )

    def get_handlers(self) -> list[tuple[str, Any]]:
        """What answers besides Voilà."""
        return list(self.pages)


class OwnKernel(Authorizer):
    """A kernel is the affair of the one whose page it runs."""

    def is_authorized(
        self, handler: JupyterHandler, user: User, action: str, resource: str
    ) -> bool:
        """Whether the kernel that is asked for, if one is, belongs to *user*."""
        kernel = handler.path_kwargs.get("kernel_id") or next(iter(handler.path_args), None)
        kernels = cast("PageKernels", handler.kernel_manager)
        return resource != "kernels" or kernels.owned(kernel, user.username)


def session_of(handler: JupyterHandler) -> Session:
    """The session of a request that was let in.

    Raises:
        HTTPError: It has ended in between.
    """
    session = cast("Door", handler.identity_provider).session_of(handler)
    if session is None:
        raise HTTPError(403)
    return session
