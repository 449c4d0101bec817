"""Encryption: whose certificate is shown, and whose is asked for."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from workbench.errors import InvalidRequest
from workbench.settings import Settings

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)


def tls_of(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 and 1.3 with the certificate of *settings*; None if they name none.

    If they name an authority, callers need a certificate of it as well.

    Raises:
        InvalidRequest: A file that is named cannot be read, or is not what it should be.
    """
    if not settings.certfile:
        for name in ("keyfile", "client_ca"):
            if getattr(settings, name):
                raise InvalidRequest(f"{name} is of no use without certfile.", setting=name)
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certfile, settings.keyfile or None)
    except (OSError, ValueError) as error:
        raise InvalidRequest(
            f"certfile and keyfile cannot be used: {_why(error)}.", setting="certfile"
        ) from None
    if settings.client_ca:
        try:
            context.load_verify_locations(settings.client_ca)
        except (OSError, ValueError) as error:
            raise InvalidRequest(
                f"client_ca cannot be used: {_why(error)}.", setting="client_ca"
            ) from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def shown(settings: Settings) -> str:
    """The certificate that callers are shown first, in PEM; empty without TLS.

    The file may hold more: others' certificates, even the key.
    """
    if not settings.certfile:
        return ""
    found = _CERTIFICATE.search(Path(settings.certfile).read_text(errors="replace"))
    return found[0] if found else ""


def _why(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return str(said or error or "it is no such file")
