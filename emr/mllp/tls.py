"""By which certificates MLLP trusts and is trusted. Without TLS only this machine is spoken to."""

from __future__ import annotations

import ssl

from django.conf import settings

from emr.addresses import LOOPBACK
from patients.outbound import verified_context

# What OpenSSL calls a peer that turned our certificate down, or missed it.
_TURNED_DOWN = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "HANDSHAKE_FAILURE",
    "ACCESS_DENIED",
)


def is_this_machine(host: str) -> bool:
    return host in LOOPBACK


def client_context() -> ssl.SSLContext:
    """Return how we show ourselves and whom we trust: the settings HL7_CA_FILE, HL7_CLIENT_CERT
    and HL7_CLIENT_KEY. Raises OSError for files that cannot be read."""
    context = verified_context(authorities=settings.HL7_CA_FILE or None)
    if settings.HL7_CLIENT_CERT:
        context.load_cert_chain(settings.HL7_CLIENT_CERT, settings.HL7_CLIENT_KEY or None)
    return context


def server_context(
    *, certificate: str, key: str | None, client_authorities: str | None
) -> ssl.SSLContext:
    """Return a listener's context; with `client_authorities` only peers whose certificate these
    have signed are heard. Raises OSError for files that cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if client_authorities:
        context.load_verify_locations(client_authorities)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def is_turned_down(error: OSError) -> bool:
    """Whether a TLS error says that the other side does not take our certificate."""
    reason = getattr(error, "reason", None) or ""
    return isinstance(error, ssl.SSLError) and any(word in reason for word in _TURNED_DOWN)
