"""Roles become guardian's rows at their clinic, and nothing outlives its role."""

from __future__ import annotations

import threading

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection, transaction
from guardian.shortcuts import assign_perm

from patients.models import ClinicUserObjectPermission
from patients.privacy.access import clinics_with, may
from patients.privacy.roles import Applied, apply_roles
from providers.models import Clinic, Membership, Role
from tests.factories import ClinicFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


def held(user: User, clinic: Clinic) -> set[str]:
    rows = ClinicUserObjectPermission.objects.filter(user=user, content_object=clinic)
    return set(rows.values_list("permission__codename", flat=True))


def again(user: User) -> User:
    """Return the user as the next request loads them."""
    return User.objects.get(pk=user.pk)


@pytest.mark.parametrize("role", Role)
def test_a_role_carries_what_the_table_says(role: Role) -> None:
    member = MembershipFactory.create(role=role)
    assert held(member.user, member.clinic) == settings.ROLE_PERMISSIONS[role]


def test_a_role_counts_at_its_own_clinic_only() -> None:
    member = MembershipFactory.create()
    assert not held(member.user, ClinicFactory.create())


def test_a_lost_role_takes_its_permissions_along_and_leaves_the_others() -> None:
    desk = MembershipFactory.create()
    MembershipFactory.create(user=desk.user, clinic=desk.clinic, role=Role.PRIVACY_OFFICER)
    desk.is_active = False
    desk.save()
    assert held(desk.user, desk.clinic) == settings.ROLE_PERMISSIONS[Role.PRIVACY_OFFICER]
    desk.is_active = True
    desk.save()
    desk.delete()
    assert held(desk.user, desk.clinic) == settings.ROLE_PERMISSIONS[Role.PRIVACY_OFFICER]


def test_a_changed_role_is_the_new_one_only() -> None:
    member = MembershipFactory.create()
    member.role = Role.CLINIC_ADMIN
    member.save()
    assert held(member.user, member.clinic) == settings.ROLE_PERMISSIONS[Role.CLINIC_ADMIN]


def test_a_deactivated_person_holds_nothing_and_gets_it_back() -> None:
    member = MembershipFactory.create()
    for is_active in (False, True):
        member.user.is_active = is_active
        member.user.save()
        assert bool(held(member.user, member.clinic)) is is_active


def test_applying_twice_changes_nothing() -> None:
    MembershipFactory.create_batch(3)
    assert apply_roles() == Applied(given=0, taken=0)


def test_a_row_that_no_role_carries_is_taken_back() -> None:
    member = MembershipFactory.create(role=Role.PROVIDER)
    assign_perm("manage_clinic", member.user, member.clinic)
    assert apply_roles() == Applied(given=0, taken=1)
    stranger = UserFactory.create()
    assign_perm("view_patients", stranger, member.clinic)
    assert apply_roles().taken == 1
    assert not held(stranger, member.clinic)


def test_migrating_applies_what_the_table_says_by_now() -> None:
    member = MembershipFactory.create()
    ClinicUserObjectPermission.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert held(member.user, member.clinic) == settings.ROLE_PERMISSIONS[Role.RECEPTIONIST]


def test_a_row_without_an_active_role_opens_nothing() -> None:
    member = MembershipFactory.create()
    Membership.objects.filter(pk=member.pk).update(is_active=False)
    user = again(member.user)
    assert held(user, member.clinic)
    assert not may(user, "view_patients", at=member.clinic)
    assert not clinics_with(user, "view_patients")


def test_a_superuser_without_a_role_holds_nothing() -> None:
    clinic = ClinicFactory.create()
    root = UserFactory.create(is_superuser=True)
    assert root.has_perm("providers.view_patients", clinic)  # what Django itself would say
    assert not may(root, "view_patients", at=clinic)
    assert not clinics_with(again(root), "view_patients")
    assert not Clinic.objects.staffed_by(root, "view_patients")


def test_a_permission_on_the_whole_table_opens_nothing() -> None:
    clinic = ClinicFactory.create()
    user = UserFactory.create()
    user.user_permissions.add(Permission.objects.get(codename="view_patients"))
    assert again(user).has_perm("providers.view_patients")
    assert not may(again(user), "view_patients", at=clinic)
    assert not Clinic.objects.staffed_by(again(user), "view_patients")


def test_what_the_gate_has_read_costs_the_rest_of_the_request_nothing(
    django_assert_num_queries: object,
) -> None:
    member = MembershipFactory.create()
    user = again(member.user)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert clinics_with(user, "view_patients") == [member.clinic]
        assert may(user, "overbook", at=member.clinic)
        assert not may(user, "manage_clinic", at=member.clinic)
        assert not may(user, "overbook", at=ClinicFactory.build())


@pytest.mark.django_db(transaction=True)
def test_of_two_roles_lost_at_once_no_shared_permission_stays() -> None:
    """Both carry view_patients: each change alone would keep it for the other one's sake."""
    desk = MembershipFactory.create()
    boss = MembershipFactory.create(user=desk.user, clinic=desk.clinic, role=Role.CLINIC_ADMIN)
    meet = threading.Barrier(2)

    def lose(row: Membership) -> None:
        try:
            with transaction.atomic():
                meet.wait(timeout=10)
                row.is_active = False
                row.save()
        finally:
            connection.close()

    threads = [threading.Thread(target=lose, args=[row]) for row in (desk, boss)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert held(desk.user, desk.clinic) == set()
