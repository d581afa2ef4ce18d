"""Short codes that prove control of a phone number or an e-mail address."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.fields import SealedTextField
from patients.sealed import SealedRow


class OneTimeCode(SealedRow):
    """A short code sent to a contact: one use, ten minutes, bound to the browser that asked.

    Rows exist for unknown contacts too, so that asking for a code looks the same either way.
    """

    class Purpose(models.TextChoices):
        SIGN_IN = "SIGN_IN", _("Sign in")
        BOOKING = "BOOKING", _("Booking")

    class Channel(models.TextChoices):
        EMAIL = "EMAIL", _("E-mail")
        SMS = "SMS", _("Text message")

    purpose = models.CharField(max_length=8, choices=Purpose)
    contact = SealedTextField(
        blank=True, default="", help_text=_("Where to send it; empty once that was done.")
    )
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.EMAIL)
    contact_index = models.BinaryField(max_length=32)
    contact_index_old = models.BinaryField(
        max_length=32, default=b"", help_text=_("Under the former key, while it changes.")
    )
    browser_digest = models.BinaryField(max_length=32)
    code_digest = models.BinaryField(max_length=32, default=b"")
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["contact_index", "expires_at"], name="code_by_contact")]

    def __str__(self) -> str:
        return f"Code {str(self.pk)[-8:]}"

    @property
    def contact_indexes(self) -> list[bytes]:
        """The digests under which the contact may stand in a patient's record."""
        return [bytes(digest) for digest in (self.contact_index, self.contact_index_old) if digest]

    @property
    def about_patient(self) -> None:
        """Nobody's: a code is sent to a contact, whether or not somebody on file has it."""
