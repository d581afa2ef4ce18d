"""A clinic's own past as a world: its freed time, and who waited then."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import Patient
from providers.models import Clinic, Provider, Specialty, VisitType
from scheduling.models import Opening, WaitlistEntry, WaitlistOffer
from scheduling.waitlist.contact import Reach
from scheduling.waitlist.simulation import Person, World, both, compare, world_of_history
from tests.factories import ClinicFactory, PatientFactory, VisitTypeFactory
from tests.factories.providers import ProviderFactory
from tests.factories.waitlist import entry_of, offer_of, opening_of
from tests.scheduling.waitlist.reaching import ANY_TIME
from tests.scheduling.waitlist.simulation.small import SEQUENTIAL

pytestmark = pytest.mark.django_db

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
NOW = datetime(2026, 6, 30, 16, tzinfo=UTC)
# Tuesday, June 9: freed at noon in New York for Thursday at ten.
FREED, START = datetime(2026, 6, 9, 16, tzinfo=UTC), datetime(2026, 6, 11, 14, tzinfo=UTC)
EARLIER = FREED - 10 * DAY
Ended = Opening.Ended

silent: set[UUID] = set()


def all_but_the_silent(patients: Sequence[Patient], *, now: datetime) -> dict[UUID, Reach]:
    return {each.pk: Reach(ANY_TIME, "NO_WAY" if each.pk in silent else "CAP") for each in patients}


@pytest.fixture(autouse=True)
def _reach(settings: Any) -> None:
    silent.clear()
    settings.OFFER_REACH = f"{__name__}.all_but_the_silent"


def freed(provider: Provider, **values: Any) -> Opening:
    start = values.pop("start", START)
    return opening_of(provider, start, **({"created_at": FREED} | values))


def waits(provider: Provider | None, visit_type: VisitType, **values: Any) -> WaitlistEntry:
    known = {"created_at": EARLIER, "earliest_desired_date": EARLIER.date()}
    return entry_of(provider=provider, visit_type=visit_type, **(known | values))


def closed(ended: Ended) -> dict[str, Any]:
    state = Opening.State.FILLED if ended == Ended.CLAIMED else Opening.State.CLOSED
    return {"state": state, "ended": ended, "ended_at": FREED + HOUR}


def past(clinic: Clinic, **values: Any) -> World:
    return world_of_history(clinic, **({"now": NOW} | values))


def only_person(clinic: Clinic) -> Person:
    (person,) = past(clinic).people
    return person


def test_freed_time_is_played_from_when_it_could_be_offered(
    clinic: Clinic, provider: Provider
) -> None:
    at_once = freed(provider, **closed(Ended.EXHAUSTED))
    later = freed(
        provider, created_at=FREED + MINUTE, not_before=FREED + 10 * MINUTE, **closed(Ended.BOOKED)
    )

    world = past(clinic)

    assert world.zone == clinic.zone
    assert [slot.key for slot in world.slots] == [str(at_once.pk), str(later.pk)]
    assert [slot.freed_at - FREED for slot in world.slots] == [0 * MINUTE, 10 * MINUTE]
    assert (world.slots[0].start, world.slots[0].end) == (START, START + 30 * MINUTE)


@pytest.mark.parametrize("ended", [Ended.RETURNED, Ended.NOT_WORKED, Ended.WITHDRAWN])
def test_time_that_was_taken_back_did_not_come_free(
    clinic: Clinic, provider: Provider, ended: Ended
) -> None:
    freed(provider, **closed(ended))

    assert past(clinic).slots == []


def test_only_this_clinic_s_time_of_these_days_is_played(
    clinic: Clinic, provider: Provider
) -> None:
    old, kept, new = (freed(provider, created_at=FREED + n * HOUR) for n in (-2, 0, 2))
    freed(ProviderFactory.create(working=True))

    world = past(clinic, since=FREED - HOUR, until=FREED + HOUR)

    assert [slot.key for slot in world.slots] == [str(kept.pk)]
    assert [slot.key for slot in past(clinic, most=2).slots] == [str(kept.pk), str(new.pk)]
    assert str(old.pk) in {slot.key for slot in past(clinic).slots}


def test_time_that_was_over_when_it_came_free_is_left_out(
    clinic: Clinic, provider: Provider
) -> None:
    freed(provider, not_before=START + MINUTE)

    assert past(clinic).slots == []


def test_who_waits_is_as_their_entry_says(clinic: Clinic, provider: Provider) -> None:
    kind = VisitTypeFactory.create(
        minutes=25, buffer_before_minutes=5, waitlist_minimum_lead_minutes=90
    )
    entry = waits(
        provider,
        kind,
        weekdays=[3],
        minimum_notice_minutes=60,
        urgency="URGENT",
        is_existing_patient=True,
    )
    freed(provider)

    person = only_person(clinic)

    assert person.entry == str(entry.pk)
    assert person.wants.weekdays == {3}
    assert person.wants.notice == HOUR
    assert (person.length, person.buffer_before) == (25 * MINUTE, 5 * MINUTE)
    assert (person.lead, person.since) == (90 * MINUTE, EARLIER)
    assert (person.is_urgent, person.is_existing, person.leaves) == (True, True, None)
    assert person.providers == {provider.pk}
    assert person.contact == ANY_TIME


def test_a_visit_without_a_length_is_as_long_as_a_slot(clinic: Clinic, provider: Provider) -> None:
    provider.schedules.update(slot_duration_minutes=15)
    waits(provider, VisitTypeFactory.create(minutes=None))
    freed(provider)

    assert only_person(clinic).length == 15 * MINUTE


def test_who_waits_for_anybody_of_a_specialty_takes_each_of_them(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    specialty = provider.specialty
    assert isinstance(specialty, Specialty)
    other = ProviderFactory.create(working=True, clinic=clinic, specialty=specialty)
    stranger = ProviderFactory.create(working=True, clinic=clinic)
    for each in (provider, other, stranger):
        freed(each)
    waits(None, visit_type, specialty=specialty, clinic=clinic)

    assert only_person(clinic).providers == {provider.pk, other.pk}


def test_who_takes_no_new_patients_is_not_offered_to_them(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    Provider.objects.filter(pk=provider.pk).update(accepts_new_patients=False)
    freed(provider)
    waits(provider, visit_type)
    known = waits(provider, visit_type, is_existing_patient=True)

    told = {person.entry: person.providers for person in past(clinic).people}

    assert [entry for entry, providers in told.items() if providers] == [str(known.pk)]


def test_who_left_was_there_until_then_and_who_claimed_would_have_stayed(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    opening = freed(provider, **closed(Ended.CLAIMED))
    left = waits(provider, visit_type, status="LEFT", ended_at=FREED + HOUR)
    booked = waits(provider, visit_type, status="BOOKED", ended_at=FREED + HOUR)
    claimed = waits(provider, visit_type, status="BOOKED", ended_at=FREED + HOUR)
    taken = WaitlistOffer.Status.CLAIMED
    offer_of(claimed, opening, status=taken, days_gained=9)
    waits(provider, visit_type, status="PAUSED")
    waits(provider, visit_type, status="LEFT", ended_at=FREED - HOUR)
    waits(provider, visit_type, created_at=START + DAY)

    people = {person.entry: person for person in past(clinic).people}

    assert set(people) == {str(left.pk), str(booked.pk), str(claimed.pk)}
    assert people[str(left.pk)].leaves == FREED + HOUR
    assert people[str(booked.pk)].leaves == FREED + HOUR
    assert people[str(claimed.pk)].leaves is None
    assert people[str(claimed.pk)].wants.sooner_than == START + 9 * DAY


def test_whom_no_message_reaches_is_left_out(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    freed(provider)
    waits(provider, visit_type)
    silent.add(waits(provider, visit_type).patient_id)

    assert len(past(clinic).people) == 1


def test_as_many_statements_are_asked_for_many_as_for_few(
    clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            past(clinic)
        return len(asked)

    freed(provider)
    waits(provider, visit_type)
    few = statements()
    for n in range(5):
        freed(provider, created_at=FREED + n * MINUTE)
        waits(provider, visit_type, patient=PatientFactory.create(clinic=clinic))

    assert statements() == few


def test_a_clinic_without_a_past_has_an_empty_world() -> None:
    world = past(ClinicFactory.create())

    assert (world.slots, world.people) == ([], [])


def test_the_past_can_be_played(clinic: Clinic, provider: Provider, visit_type: VisitType) -> None:
    freed(provider, minutes=60)
    for _n in range(3):
        waits(provider, visit_type, patient=PatientFactory.create(clinic=clinic))
    world = past(clinic)

    found = compare(lambda _seed: world, rules=both(SEQUENTIAL), seeds=range(3))

    for summary in found.values():
        assert all(fate.offers for run in summary.outcomes for fate in run.fates)
