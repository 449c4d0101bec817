"""Whose certificate a gateway may show."""

from __future__ import annotations

import ssl

from workbench.errors import InvalidRequest


def trust_in(ca: str) -> ssl.SSLContext:
    """TLS with those whom the authorities in the file *ca* vouch for, and with nobody else.

    Raises:
        InvalidRequest: It cannot be read, or holds no certificate.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"No certificate can be read from {ca}: {error}.", ca=ca) from None


def trust_in_one(certificate: str) -> ssl.SSLContext:
    """TLS with whoever shows exactly that *certificate*, in PEM, under whatever name."""
    context = ssl.create_default_context(cadata=certificate)
    # It need not be an authority's own.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context
