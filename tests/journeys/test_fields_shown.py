"""Which facts of one patient stand in the HTML of each page, for each visitor: the role table's.

Each fact has a value that stands nowhere else, and is looked for in every page that a visitor can
open. What may be there is read from the table of roles.
"""

from __future__ import annotations

import pytest

from config.roles import Holder, Resource, cell
from patients.models import Patient
from scheduling import notes
from scheduling.models import Appointment
from tests.journeys.addresses import cases
from tests.journeys.cast import ACTORS, COLLEAGUE, World
from tests.journeys.expectations import Meets, expected
from tests.journeys.undoing import undone
from tests.routes import Route, all_routes

PAGES = [route for route in all_routes() if "GET" in route.methods]
HOLDERS = {
    "patient": Holder.PATIENT,
    "receptionist": Holder.RECEPTIONIST,
    "provider": Holder.PROVIDER,
    COLLEAGUE: Holder.OTHER_PROVIDER,
    "clinic admin": Holder.CLINIC_ADMIN,
    "privacy officer": Holder.PRIVACY_OFFICER,
}
FAMILY, MAIL, PHONE = "Vandermark", "zq.canary@mail.example", "+12125559876"
WHY, WRITTEN = "zq reason for coming", "zq words of the note"
IDENTITY, REASON, NOTES, TIME = Resource.IDENTITY, Resource.REASON, Resource.NOTES, Resource.TIME
# What opens more than the table's own column, to whom: one patient, for a reason, for a while.
OPENED = {
    ("emergency:record", Holder.RECEPTIONIST): {IDENTITY, TIME, REASON},
    ("emergency:record", Holder.PROVIDER): {IDENTITY, TIME, REASON, NOTES},
    ("emergency:record", Holder.OTHER_PROVIDER): {IDENTITY, TIME, REASON, NOTES},
    ("emergency:looked_at", Holder.PRIVACY_OFFICER): {IDENTITY, TIME},
    ("provider:shared_record", Holder.OTHER_PROVIDER): {IDENTITY, TIME},
}
NEVER_IN_LISTS = {REASON, NOTES}


def mark(world: World) -> dict[Resource, list[str]]:
    """Give the patient facts that stand nowhere else; return what to look for."""
    patient = Patient.objects.get(pk=world.here.patient.pk)
    patient.family_name, patient.email, patient.phone = FAMILY, MAIL, PHONE
    patient.save(update_fields=["family_name", "email", "phone"])
    visit = Appointment.objects.get(pk=world.visits["here"].pk)
    visit.reason_for_visit = WHY
    visit.save(update_fields=["reason_for_visit"])
    notes.write_note(appointment=visit, text=WRITTEN, seen="", by=world.users["provider"])
    return {
        IDENTITY: [FAMILY, MAIL, PHONE, "555-9876"],
        REASON: [WHY],
        NOTES: [WRITTEN],
        TIME: [str(visit.pk)],
    }


def allowed(actor: str, route: Route) -> set[Resource]:
    """Return what the table lets this visitor read on this page."""
    holder = HOLDERS.get(actor, Holder.ANONYMOUS)
    if (route.name, holder) in OPENED:
        return OPENED[route.name, holder]
    if holder is Holder.PRIVACY_OFFICER:
        return set()  # everything of theirs needs a reason, and its own page
    shown = {each for each in (IDENTITY, REASON, NOTES, TIME) if cell(each, holder).read}
    if route.name.startswith("admin:"):
        shown &= {TIME}
    if not route.parameters and holder is not Holder.PATIENT:
        shown -= NEVER_IN_LISTS
    return shown


def shown_on(
    world: World, actor: str, route: Route, facts: dict[Resource, list[str]]
) -> set[Resource]:
    """Open the page with every row there is; return the facts that stand in it."""
    found = cases(route, world, actor)
    seen: set[Resource] = set()
    for arguments in [*found.own, *found.foreign]:
        address = route.address(arguments)
        html = world.browser(actor).get(address).content.decode()
        for value in map(str, arguments.values()):
            html = html.replace(value, "")  # what was asked for is no answer
        seen |= {fact for fact, values in facts.items() if any(each in html for each in values)}
    return seen


@pytest.mark.parametrize("actor", ACTORS)
def test_a_page_shows_what_the_table_of_roles_allows_and_no_more(actor: str, world: World) -> None:
    facts = mark(world)
    met: set[Resource] = set()
    for route in PAGES:
        if expected(actor, route, "GET") is not Meets.ADMITTED:
            continue
        with undone():
            seen = shown_on(world, actor, route, facts)
        assert seen <= allowed(actor, route), (actor, route.name, seen - allowed(actor, route))
        met |= seen
    holder = HOLDERS.get(actor, Holder.ANONYMOUS)
    for fact in (IDENTITY, REASON, NOTES):
        if cell(fact, holder).read:
            assert fact in met, f"{actor} may read {fact} and finds it nowhere"
