"""What of scheduling goes over with a record that is joined: visits, kept times, waits."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.looks import Look, looking
from patients.merging import Choices
from patients.models import CareRelationship, Patient, PatientMerge
from patients.registration import stamp_of
from providers.models import Clinic, Provider, VisitType
from reminders import tasks
from scheduling import booking, checkout, links
from scheduling.actors import Actor
from scheduling.drafts import Draft
from scheduling.errors import PatientJoined, Stale
from scheduling.merging import VisitsOverlap, join, overlapping, take_apart
from scheduling.models import Appointment, SlotHold, WaitlistEntry
from scheduling.transitions import Status
from scheduling.waitlist import entries
from tests.factories import (
    AppointmentFactory,
    PatientFactory,
    ProviderFactory,
    UserFactory,
    at,
    hold_of,
    next_monday,
)
from tests.factories.waitlist import entry_of, offer_of, opening_of

pytestmark = pytest.mark.django_db(transaction=True)
NINE = at(next_monday(1), "09:00")
HOUR = timedelta(hours=1)


@pytest.fixture
def keep(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno")


@pytest.fixture
def away(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Ada Moreno")


@pytest.fixture
def somebody(db: None) -> User:
    return UserFactory.create()


def joined(keep: Patient, away: Patient, by: User, now: datetime) -> PatientMerge:
    choices = Choices(seen=(stamp_of(keep), stamp_of(away)))
    return join(keep=keep, away=away, choices=choices, by=by, now=now)


def visit_of(patient: Patient, provider: Provider, visit_type: VisitType, start: datetime) -> Any:
    return AppointmentFactory.create(
        patient=patient, provider=provider, visit_type=visit_type, start=start
    )


def test_everything_moves_and_comes_back(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    visit = visit_of(away, provider, visit_type, NINE)
    hold = hold_of(provider, visit_type, NINE + HOUR, patient=away)
    wait = WaitlistEntry.objects.create(
        patient=away,
        clinic=away.clinic,
        provider=provider,
        appointment_type=visit_type,
        earliest_desired_date=date(2026, 1, 1),
    )
    done = joined(keep, away, somebody, now)
    for row in (visit, hold, wait):
        row.refresh_from_db()
        assert row.patient == keep
    assert CareRelationship.objects.live().get(provider=provider).patient == keep

    take_apart(merge=done, by=somebody, now=now)
    for row in (visit, hold, wait):
        row.refresh_from_db()
        assert row.patient == away
    assert CareRelationship.objects.live().get(provider=provider).patient == away


def test_a_visit_booked_since_stays_with_the_survivor(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    old = visit_of(away, provider, visit_type, NINE)
    done = joined(keep, away, somebody, now)
    new = visit_of(keep, provider, visit_type, NINE + HOUR)
    take_apart(merge=done, by=somebody, now=now)
    assert Appointment.objects.get(pk=old.pk).patient == away
    assert Appointment.objects.get(pk=new.pk).patient == keep


def test_a_cancelled_visit_moves_too_and_may_overlap(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    gone = visit_of(away, provider, visit_type, NINE)
    booking.cancel(appointment=gone, reason="PATIENT", by=Actor.patient(), now=now)
    other = ProviderFactory.create(clinic=keep.clinic, working=True)
    visit_of(keep, other, visit_type, NINE)
    joined(keep, away, somebody, now)
    gone.refresh_from_db()
    assert (gone.patient, gone.status) == (keep, Status.CANCELLED)


def test_two_visits_at_one_time_are_named_and_nothing_moves(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    other = ProviderFactory.create(clinic=keep.clinic, working=True)
    mine = visit_of(keep, other, visit_type, NINE)
    theirs = visit_of(away, provider, visit_type, NINE)
    free = visit_of(away, provider, visit_type, NINE + HOUR)
    with pytest.raises(VisitsOverlap) as refusal:
        joined(keep, away, somebody, now)
    assert refusal.value.pairs == [(mine.pk, theirs.pk)] == overlapping(keep.pk, away.pk)
    free.refresh_from_db()
    assert free.patient == away
    assert Patient.objects.get(pk=away.pk).merged_into is None
    assert not PatientMerge.objects.exists()


def test_whoever_was_about_to_change_a_moved_visit_looks_again(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    desk: Actor,
    now: datetime,
) -> None:
    seen = visit_of(away, provider, visit_type, NINE)
    joined(keep, away, somebody, now)
    with pytest.raises(Stale):
        booking.reschedule(appointment=seen, start=NINE + HOUR, by=desk, now=now)
    fresh = Appointment.objects.get(pk=seen.pk)
    moved = booking.reschedule(appointment=fresh, start=NINE + HOUR, by=desk, now=now)
    assert Appointment.objects.get(pk=moved.pk).patient == keep


@pytest.mark.parametrize("table", ["appointment", "hold"])
def test_nothing_new_is_made_for_a_record_that_was_joined(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
    table: str,
) -> None:
    joined(keep, away, somebody, now)
    with pytest.raises(PatientJoined):
        if table == "appointment":
            visit_of(away, provider, visit_type, NINE)
        else:
            hold_of(provider, visit_type, NINE, patient=away)
    assert not Appointment.objects.exists()
    assert not SlotHold.objects.exists()


def test_what_is_being_typed_online_goes_on_for_the_survivor(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    hold = hold_of(provider, visit_type, NINE, patient=away)
    joined(keep, away, somebody, now)
    checkout.write(hold, Draft(typed={"reason": "A cough"}))
    booked = checkout.finish(hold, reason="A cough", by=Actor.patient(), now=now)
    assert Appointment.objects.get(pk=booked.pk).patient == keep


def test_links_and_the_patients_page_lead_to_the_survivor(
    clinic: Clinic,
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    away.email, away.phone = keep.email, keep.phone
    away.save(update_fields=["email", "phone"])
    visit = visit_of(away, provider, visit_type, NINE)
    token = links.issue(visit, now=now)
    joined(keep, away, somebody, now)
    visitor = Client()
    opened = visitor.get(reverse("portal:link", args=[token]), follow=True)
    assert opened.status_code == 200
    assert visitor.get(reverse("portal:calendar", args=[visit.pk])).status_code == 200
    assert links.find(token, now=now).appointment.patient == keep


@pytest.mark.parametrize("shared", ["email", "phone"])
def test_a_link_ends_with_the_contact_that_the_survivor_does_not_have(
    shared: str,
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    setattr(away, shared, getattr(keep, shared))
    away.save(update_fields=[shared])
    token = links.issue(visit_of(away, provider, visit_type, NINE), now=now)
    joined(keep, away, somebody, now)
    with pytest.raises(links.LinkEnded):
        links.find(token, now=timezone.now())


def test_the_mail_with_the_link_goes_to_the_survivors_address(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
    mailoutbox: list[Any],
) -> None:
    visit = visit_of(away, provider, visit_type, NINE)
    joined(keep, away, somebody, now)
    with looking(Look()):
        address = keep.email
    links.ask_for_link(reference=visit.reference, contact=address, network="ab" * 32)
    tasks.dispatch()
    assert [message.to for message in mailoutbox] == [[address]]


def test_the_guard_holds_in_the_database_itself(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    visit = visit_of(keep, provider, visit_type, NINE)
    joined(keep, away, somebody, now)
    with connection.cursor() as cursor, pytest.raises(Exception, match="joined into another"):
        cursor.execute(
            "UPDATE scheduling_appointment SET patient_id = %s WHERE id = %s", [away.pk, visit.pk]
        )


def test_who_waits_twice_for_the_same_waits_once_in_the_earlier_place(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    same: dict[str, Any] = {"provider": provider, "visit_type": visit_type}
    mine = entry_of(keep, created_at=now - HOUR, **same)
    theirs = entry_of(away, created_at=now - 2 * HOUR, urgency="URGENT", **same)
    other = entry_of(away, provider=provider)
    before = {entry.pk: waits(entry) for entry in (mine, theirs, other)}
    done = joined(keep, away, somebody, now)
    assert waits(theirs) == (keep.pk, "WAITING", now - 2 * HOUR, "URGENT", None)
    assert waits(mine) == (keep.pk, "LEFT", now - HOUR, "ROUTINE", now)
    assert waits(other)[:2] == (keep.pk, "WAITING")
    take_apart(merge=done, by=somebody, now=now + HOUR)
    assert {entry.pk: waits(entry) for entry in (mine, theirs, other)} == before


def test_an_entry_that_is_being_offered_time_stays_and_gets_the_earlier_place(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    same: dict[str, Any] = {"provider": provider, "visit_type": visit_type}
    first = entry_of(keep, created_at=now - 2 * HOUR, urgency="URGENT", **same)
    offered = entry_of(away, created_at=now - HOUR, **same)
    offer = offer_of(offered, opening_of(provider, NINE))
    done = joined(keep, away, somebody, now)
    assert waits(offered) == (keep.pk, "WAITING", now - 2 * HOUR, "URGENT", None)
    assert waits(first)[1] == "LEFT"
    offer.refresh_from_db()
    assert offer.status == "OFFERED"
    take_apart(merge=done, by=somebody, now=now)
    assert waits(offered) == (away.pk, "WAITING", now - HOUR, "ROUTINE", None)
    assert waits(first) == (keep.pk, "WAITING", now - 2 * HOUR, "URGENT", None)


def test_two_entries_that_are_both_being_offered_time_both_stay(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    both = [entry_of(patient, provider=provider, visit_type=visit_type) for patient in (keep, away)]
    for n, entry in enumerate(both):
        offer_of(entry, opening_of(provider, NINE + n * HOUR))
    joined(keep, away, somebody, now)
    assert [waits(entry)[:2] for entry in both] == [(keep.pk, "WAITING")] * 2


def test_what_a_patient_left_since_the_joining_stays_left(
    keep: Patient,
    away: Patient,
    provider: Provider,
    visit_type: VisitType,
    somebody: User,
    now: datetime,
) -> None:
    entry = entry_of(away, provider=provider, visit_type=visit_type)
    done = joined(keep, away, somebody, now)
    entries.leave(entry, by=Actor.patient(), now=now)
    take_apart(merge=done, by=somebody, now=now)
    assert waits(entry)[:2] == (away.pk, "LEFT")


def waits(entry: WaitlistEntry) -> tuple[Any, ...]:
    entry.refresh_from_db()
    return (entry.patient_id, entry.status, entry.created_at, entry.urgency, entry.ended_at)
