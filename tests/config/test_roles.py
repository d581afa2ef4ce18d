"""The table of roles: what it says, and that everything else is read from it."""

from __future__ import annotations

import pytest
from django.conf import settings

from config.roles import ROLES, TABLE, Holder, Resource, as_markdown, cell
from patients.privacy.pages import Audience
from providers.models import PERMISSIONS, Role
from tests.routes import all_routes

DECLARED = {name for name, _words in PERMISSIONS}
CARRIED = {name for row in TABLE.values() for held in row.values() for name in held.permissions}


def test_every_permission_is_carried_by_a_role_and_no_other_is() -> None:
    assert CARRIED == DECLARED


def test_every_role_of_a_membership_stands_in_the_table() -> None:
    assert {role.value for role in ROLES} == set(Role.values) == set(settings.ROLE_PERMISSIONS)


def test_every_resource_has_its_row() -> None:
    assert set(TABLE) == set(Resource)


def test_every_permission_that_a_page_asks_for_is_known() -> None:
    asked = {route.permission for route in all_routes() if route.permission}
    assert asked <= DECLARED


@pytest.mark.parametrize("route", all_routes(), ids=lambda route: route.name)
def test_only_pages_that_are_held_at_a_clinic_ask_for_a_permission(route: object) -> None:
    audience, permission = route.audience, route.permission  # type: ignore[attr-defined]
    held = audience in {Audience.DESK, Audience.PROVIDER, Audience.PRIVACY}
    assert bool(permission) is held


@pytest.mark.parametrize(
    ("resource", "nobody"),
    [
        (Resource.NOTES, [Holder.RECEPTIONIST, Holder.CLINIC_ADMIN, Holder.PRIVACY_OFFICER]),
        (Resource.REASON, [Holder.CLINIC_ADMIN, Holder.PRIVACY_OFFICER]),
        (Resource.AUDIT, [Holder.RECEPTIONIST, Holder.CLINIC_ADMIN]),
    ],
)
def test_what_is_kept_from_a_role_gives_it_no_permission(
    resource: Resource, nobody: list[Holder]
) -> None:
    for holder in nobody:
        assert not cell(resource, holder).read
        assert not cell(resource, holder).permissions
        given = {name for held in TABLE[resource].values() for name in held.permissions}
        only_here = given - {
            name
            for other, row in TABLE.items()
            if other is not resource
            for held in row.values()
            for name in held.permissions
        }
        assert not only_here & settings.ROLE_PERMISSIONS[holder.value]


def test_a_colleagues_patients_and_a_stranger_open_nothing_but_free_slots() -> None:
    for holder in (Holder.OTHER_PROVIDER, Holder.ANONYMOUS):
        assert [row for row in TABLE if cell(row, holder).read] == [Resource.FREE_SLOTS]


def test_nobody_writes_what_they_may_not_read() -> None:
    assert all(held.read or not held.write for row in TABLE.values() for held in row.values())


def test_the_table_as_documentation_has_a_line_for_each_resource() -> None:
    lines = as_markdown().splitlines()
    assert len(lines) == len(Resource) + 2
    assert all(line.count("|") == len(Holder) + 2 for line in lines)
    assert "| clinical notes | – | – | – | R W, own visits | – | – | – |" in lines


def test_the_documentation_shows_the_table_as_it_is() -> None:
    text = (settings.BASE_DIR / "docs" / "security.md").read_text()
    assert f"\n\n{as_markdown()}\n\n" in text
