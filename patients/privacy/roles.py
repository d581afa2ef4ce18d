"""Turns the roles that people hold into guardian's rows at their clinics, and takes back the rest.

The rows follow from memberships and the table in settings; nobody writes them by hand.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.db import transaction
from django.db.models import Q

from patients.models import ClinicUserObjectPermission
from providers.models import Clinic, Membership

Held = tuple[int, Any, int]


@dataclass(frozen=True, slots=True)
class Applied:
    """How many of guardian's rows were written and removed."""

    given: int
    taken: int


@transaction.atomic
def apply_roles(users: Collection[int] | None = None) -> Applied:
    """Make guardian's rows what active people's active roles carry; for all, or these users.

    The users are locked first: of two changes of one person's roles the second sees the first.
    """
    people = User.objects.all() if users is None else User.objects.filter(pk__in=users)
    locked = people.filter(
        Q(memberships__isnull=False) | Q(clinicuserobjectpermission__isnull=False)
    )
    known = User.objects.filter(pk__in=locked.values("pk")).select_for_update(no_key=True)
    active = {user.pk: user.is_active for user in known.order_by("pk").only("is_active")}
    wanted = _wanted([pk for pk, is_active in active.items() if is_active])
    rows = ClinicUserObjectPermission.objects.filter(user__in=active)
    held: dict[Held, int] = {
        (user, clinic, permission): pk
        for user, clinic, permission, pk in rows.values_list(
            "user_id", "content_object_id", "permission_id", "pk"
        )
    }
    outlived = [pk for row, pk in held.items() if row not in wanted]
    ClinicUserObjectPermission.objects.filter(pk__in=outlived).delete()
    missing = [
        ClinicUserObjectPermission(user_id=user, content_object_id=clinic, permission_id=permission)
        for user, clinic, permission in sorted(wanted - held.keys(), key=str)
    ]
    ClinicUserObjectPermission.objects.bulk_create(missing, ignore_conflicts=True)
    return Applied(given=len(missing), taken=len(outlived))


def _wanted(users: Collection[int]) -> set[Held]:
    known = Permission.objects.filter(
        content_type__app_label=Clinic._meta.app_label,
        content_type__model=Clinic._meta.model_name,
    )
    ids = dict(known.values_list("codename", "pk"))
    roles = Membership.objects.filter(user__in=users, is_active=True)
    return {
        (user, clinic, ids[codename])
        for user, clinic, role in roles.values_list("user_id", "clinic_id", "role")
        for codename in settings.ROLE_PERMISSIONS.get(role, ())
    }


def after_migrate(sender: AppConfig, **_kwargs: Any) -> None:
    """Apply the table as it is by now: a role may carry more, or less, than it did."""
    apply_roles()


def after_role_change(instance: Membership, **_kwargs: Any) -> None:
    """Apply the roles of whoever got, lost or changed one, in the transaction of the change."""
    apply_roles([instance.user_id])


def after_user_change(
    instance: User, *, created: bool, update_fields: Collection[str] | None = None, **_kwargs: Any
) -> None:
    """Take back what a deactivated person held; give it again to one who returns."""
    if not created and (update_fields is None or "is_active" in update_fields):
        apply_roles([instance.pk])
