"""Links that open one appointment to whoever holds them."""

from django.db import models

from providers.fields import UUIDModel
from scheduling.models.appointment import Appointment


class ManageLink(UUIDModel):
    """A link to confirm, change or cancel one appointment. Only the token's digest is kept."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="links")
    token_digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Link {str(self.pk)[-8:]}"
