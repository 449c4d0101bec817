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


def showing(trust: ssl.SSLContext | None, certificate: str) -> ssl.SSLContext:
    """The same *trust*, and the *certificate* in that file, with its key, shown to who asks for it.

    Raises:
        InvalidRequest: It cannot be read, or its key is not there.
    """
    trust = trust or ssl.create_default_context()
    try:
        trust.load_cert_chain(certificate)
    except (OSError, ValueError) as error:
        raise InvalidRequest(
            f"WORKBENCH_CERT must name a file with a certificate and its key, in PEM;"
            f" {certificate} cannot be used: {error}.",
            cert=certificate,
        ) from None
    return trust
