"""Who may do what at which clinic: the one place that asks guardian's rows.

A superuser holds nothing here, nor does anybody by a permission on a whole table.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Account
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef

from patients.models import BreakGlassGrant, ClinicUserObjectPermission
from patients.models.emergency import HAS_OPEN_RECORD
from providers.models import HELD, Clinic, Membership

User = Account | AnonymousUser


def clinics_with(user: User, permission: str) -> list[Clinic]:
    """Return the active clinics at which this user holds a permission, by name.

    One query reads all that the user holds anywhere. It stays with this `user` object, which
    lives as long as its request, so that what the request asks next costs nothing.
    """
    if not (user.is_authenticated and user.is_active):
        return []
    held = ClinicUserObjectPermission.objects.filter(user=user, content_object=OuterRef("pk"))
    at_work = Membership.objects.filter(user=user, is_active=True)
    rows: Any = (
        Clinic.objects.filter(pk__in=at_work.values("clinic"))
        .select_related("time_zone")
        .annotate(
            held=ArraySubquery(held.values("permission__codename")),
            is_emergency=Exists(BreakGlassGrant.objects.live().filter(user=user)),
        )
    )
    known = {clinic: frozenset(clinic.held) for clinic in rows}
    setattr(user, HELD, {clinic.pk: names for clinic, names in known.items()})
    setattr(user, HAS_OPEN_RECORD, any(clinic.is_emergency for clinic in known))
    return [clinic for clinic, names in known.items() if clinic.is_active and permission in names]


def may(user: User, permission: str, *, at: Clinic | UUID) -> bool:
    """Say whether a user holds a permission at one clinic."""
    pk = at.pk if isinstance(at, Clinic) else at
    known = getattr(user, HELD, None)
    if known is not None:
        return permission in known.get(pk, ())
    return Clinic.objects.staffed_by(user, permission).filter(pk=pk).exists()
