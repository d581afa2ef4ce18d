"""How we speak to other machines: TLS 1.2 or newer, to a server that its certificate names, within
a time limit. Every client of the outside takes its context here; none may make its own."""

from __future__ import annotations

import ssl
from functools import cached_property

from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.smtp import EmailBackend


def verified_context(*, authorities: str | None = None) -> ssl.SSLContext:
    """Return a context that accepts nothing older than TLS 1.2 and checks name and chain.

    `authorities` is a file of trusted certificates; the system's own are trusted without it.
    """
    context = ssl.create_default_context(cafile=authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class VerifiedSMTP(EmailBackend):
    """Django's SMTP with our context; never without encryption, whatever the server offers."""

    def open(self) -> bool | None:
        """Connect. Raises ImproperlyConfigured where the settings switch TLS off, and
        smtplib.SMTPNotSupportedError where the server has none."""
        if not (self.use_tls or self.use_ssl):
            raise ImproperlyConfigured("Mail is sent with EMAIL_USE_TLS or EMAIL_USE_SSL.")
        try:
            return super().open()
        except OSError:  # all of smtplib's errors are
            self.close()
            raise

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        return verified_context()
