"""Links that open one appointment to whoever holds them."""

from __future__ import annotations

from typing import Self

from django.contrib.auth.models import AnonymousUser, User
from django.db import models

from providers.fields import UUIDModel
from scheduling.models.appointment import Appointment


class ManageLinkQuerySet(models.QuerySet["ManageLink"]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Return the links to one's own visits as a patient; staff have no use for them."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(appointment__patient__user=user)


class ManageLink(UUIDModel):
    """A link to confirm, change or cancel one appointment. Only the token's digest is kept."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="links")
    token_digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ManageLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Link {str(self.pk)[-8:]}"
