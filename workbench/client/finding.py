"""Finding a gateway: named, named by the environment, or running on this machine for this user.

The gateway that owns a home holds a lock on the file `owner.lock` in it, which says where it
answers and what lets the same user in; nobody else can read that file.
"""

from __future__ import annotations

import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.client.trust import showing, trust_in, trust_in_one
from workbench.errors import Unauthenticated, Unavailable
from workbench.settings import default_home


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A gateway that answers.

    Attributes:
        pid: Its process.
        url: Where it answers.
        token: What lets the same user's programs in, as the administrator, while it lives.
        certificate: What it shows, in PEM; empty if it does not speak TLS.
        own: The file with what is shown to it; empty for nothing.
    """

    pid: int
    url: str
    token: str = field(repr=False)
    certificate: str = field(default="", repr=False)
    own: str = ""

    @property
    def trust(self) -> ssl.SSLContext | None:
        """Whose certificate it may show: its own, as only this user could have written it down.

        Raises:
            InvalidRequest: What is to be shown to it cannot be used.
        """
        if not self.certificate:
            return None
        trust = trust_in_one(self.certificate)
        return showing(trust, self.own) if self.own else trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A way into a gateway.

    Attributes:
        url: Where it answers.
        token: What lets its caller in.
        trust: Whose certificate it may show; None leaves that to the system.
    """

    url: str
    token: str = field(repr=False)
    trust: ssl.SSLContext | None = None


def gateway_of(home: Path, *, environment: Mapping[str, str] = os.environ) -> Found | None:
    """The gateway that owns *home* now; None if nobody owns it or the owner answers nowhere.

    It is shown the certificate that `WORKBENCH_CERT` names, should it ask for one.
    """
    # Not on Windows, where a gateway can be called but not found.
    import fcntl

    try:
        with (home / "owner.lock").open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                said = _read(lock.fileno())
            else:
                return None
    except OSError:
        return None
    pid, url, token = (said.get(name) for name in ("pid", "url", "token"))
    if isinstance(pid, int) and isinstance(url, str) and isinstance(token, str):
        certificate = str(said.get("certificate") or "")
        own = environment.get("WORKBENCH_CERT", "")
        return Found(pid=pid, url=url, token=token, certificate=certificate, own=own)
    return None


def access(
    url: str | None,
    token: str | None,
    ca: str | None = None,
    *,
    environment: Mapping[str, str] = os.environ,
) -> Access:
    """Where to ask, with which token, and whose certificate to believe there.

    That is what is given, else what `WORKBENCH_URL`, `WORKBENCH_TOKEN` and `WORKBENCH_CA` say, else
    what the gateway of the user's home says of itself. *ca* is a file with certificates;
    `WORKBENCH_CERT` one with a certificate of the caller's own, and its key. In what JupyterHub
    starts, the token that it gave is shown to the gateway that `WORKBENCH_URL` names.

    Raises:
        InvalidRequest: One of those files cannot be used.
        Unavailable: No gateway is named and none runs here.
        Unauthenticated: A gateway is named, but no token.
    """
    url = url or environment.get("WORKBENCH_URL")
    token = token or environment.get("WORKBENCH_TOKEN")
    if url and not token:
        token = environment.get("JUPYTERHUB_API_TOKEN")
    ca = ca or environment.get("WORKBENCH_CA")
    trust = trust_in(ca) if ca else None
    if own := environment.get("WORKBENCH_CERT"):
        trust = showing(trust, own)
    if url and token:
        return Access(url=url, token=token, trust=trust)
    home = Path(environment.get("WORKBENCH_HOME") or default_home(environment))
    found = gateway_of(home, environment=environment)
    if url and (found is None or found.url != url.rstrip("/")):
        raise Unauthenticated(
            f"Which token lets you in at {url}? Give one, or set WORKBENCH_TOKEN.", url=url
        )
    if found is None:
        raise Unavailable(
            f"No gateway runs on {home}: start one with `workbench serve`, or name one by"
            " WORKBENCH_URL and WORKBENCH_TOKEN."
        )
    if not ca:
        trust = found.trust
    return Access(url=found.url, token=token or found.token, trust=trust)


def _read(lock: int) -> dict[str, object]:
    # The owner empties the file before it writes: an empty one is worth a second look.
    for _ in range(20):
        try:
            said = json.loads(os.pread(lock, 65_536, 0))
        except ValueError:
            time.sleep(0.001)
            continue
        return said if isinstance(said, dict) else {}
    return {}
