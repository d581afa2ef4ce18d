"""Who may do what at which clinic: the one place that asks."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Account

from providers.models import Clinic

User = Account | AnonymousUser


def clinics_with(user: User, permission: str) -> list[Clinic]:
    """Return the active clinics at which this user holds a permission, by name."""
    return list(Clinic.objects.active().staffed_by(user, permission).select_related("time_zone"))


def may(user: User, permission: str, *, at: Clinic) -> bool:
    """Say whether a user holds a permission at one clinic."""
    return Clinic.objects.staffed_by(user, permission).filter(pk=at.pk).exists()
