"""Joining the waitlist, waiting for something else, resting, coming back and leaving."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from patients.models import AuditEntry, Patient
from patients.models.audit import Act
from providers.models import Clinic, Provider, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment, Opening, WaitlistEntry, WaitlistOffer
from scheduling.transitions import Status
from scheduling.waitlist import entries
from scheduling.waitlist.entries import Wish
from scheduling.waitlist.errors import (
    AlreadyWaiting,
    DaysPassed,
    DaysReversed,
    EntryEnded,
    NotOffered,
    NotYours,
    StaffOnly,
    TimesReversed,
    TooMany,
)
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    VisitTypeFactory,
    at,
    next_monday,
)
from tests.factories.waitlist import entry_of, offer_of, opening_of

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MONDAY = next_monday()
PATIENT = Actor.patient()
ENTRY = WaitlistEntry.Status


@pytest.fixture
def wish(provider: Provider, visit_type: VisitType) -> Wish:
    return Wish(appointment_type=visit_type, provider=provider, earliest=MONDAY)


def joined(
    patient: Patient, wish: Wish, *, by: Actor = PATIENT, now: datetime | None = None
) -> tuple[WaitlistEntry, bool]:
    return entries.join(
        patient=patient,
        clinic=patient.clinic,
        wish=wish,
        source=WaitlistEntry.Source.PORTAL,
        by=by,
        now=now or timezone.now(),
    )


def fresh(entry: WaitlistEntry) -> WaitlistEntry:
    return WaitlistEntry.objects.get(pk=entry.pk)


def visit_of(patient: Patient, start: datetime, **values: Any) -> Appointment:
    return AppointmentFactory.create(patient=patient, start=start, **values)


def test_what_was_wished_for_is_what_waits(
    patient: Patient, provider: Provider, visit_type: VisitType, desk: Actor, now: datetime
) -> None:
    wanted = Wish(
        appointment_type=visit_type,
        provider=provider,
        earliest=MONDAY,
        latest=MONDAY + 30 * DAY,
        weekdays=(3, 1, 1),
        after=time(9),
        before=time(12),
        minimum_notice=timedelta(days=1),
        telehealth_acceptable=True,
        urgency="URGENT",
    )
    entry, is_new = joined(patient, wanted, by=desk, now=now)
    assert is_new
    kept = fresh(entry)
    assert entries.wish_of(kept) == replace(wanted, weekdays=(1, 3))
    assert (kept.status, kept.source, kept.created_at) == (ENTRY.WAITING, "PORTAL", now)
    assert list(entries.live_of(patient)) == [kept]


def test_anybody_of_a_specialty_can_be_waited_for(
    patient: Patient, provider: Provider, wish: Wish
) -> None:
    entry, _new = joined(patient, replace(wish, provider=None, specialty=provider.specialty))
    assert (entry.provider, entry.specialty) == (None, provider.specialty)


def test_who_was_seen_here_before_is_no_new_patient(patient: Patient, wish: Wish) -> None:
    new, _ = joined(PatientFactory.create(clinic=patient.clinic), wish)
    assert not new.is_existing_patient
    visit = visit_of(
        patient,
        at(next_monday(-2), "09:00"),
        provider=wish.provider,
        visit_type=VisitTypeFactory.create(),
    )
    Appointment.objects.filter(pk=visit.pk).update(status=Status.COMPLETED)
    assert joined(patient, wish)[0].is_existing_patient


def test_joining_twice_is_waiting_once_in_the_earlier_place(
    patient: Patient, wish: Wish, now: datetime
) -> None:
    first, _ = joined(patient, wish, now=now - DAY)
    again, is_new = joined(patient, replace(wish, latest=MONDAY + DAY), now=now)
    assert (again.pk, is_new) == (first.pk, False)
    assert (fresh(again).created_at, fresh(again).latest_date) == (now - DAY, MONDAY + DAY)
    assert WaitlistEntry.objects.count() == 1


def test_who_rested_waits_again_by_joining(patient: Patient, wish: Wish, now: datetime) -> None:
    entry, _ = joined(patient, wish)
    entries.pause(entry, by=PATIENT, now=now)
    joined(patient, wish)
    assert fresh(entry).status == ENTRY.WAITING


def test_who_left_begins_anew(patient: Patient, wish: Wish, now: datetime) -> None:
    entry, _ = joined(patient, wish)
    entries.leave(entry, by=PATIENT, now=now)
    again, is_new = joined(patient, wish)
    assert is_new
    assert again.pk != entry.pk


def test_another_person_or_another_visit_is_another_wait(
    patient: Patient, provider: Provider, wish: Wish
) -> None:
    other = ProviderFactory.create(clinic=patient.clinic, specialty=provider.specialty)
    joined(patient, wish)
    for wanted in (
        replace(wish, provider=other),
        replace(wish, provider=None, specialty=provider.specialty),
        replace(wish, appointment_type=VisitTypeFactory.create()),
    ):
        assert joined(patient, wanted)[1]


def test_what_the_clinic_called_urgent_stays_so_when_the_patient_asks_again(
    patient: Patient, wish: Wish, desk: Actor, now: datetime
) -> None:
    entry, _ = joined(patient, replace(wish, urgency="URGENT"), by=desk)
    joined(patient, wish)
    assert fresh(entry).urgency == "URGENT"
    entries.change(entry, wish=replace(wish, latest=MONDAY + DAY), by=PATIENT, now=now)
    assert (fresh(entry).urgency, fresh(entry).latest_date) == ("URGENT", MONDAY + DAY)
    entries.change(entry, wish=wish, by=desk, now=now)
    assert fresh(entry).urgency == "ROUTINE"


def refusals(patient: Patient, wish: Wish) -> dict[str, tuple[Wish, type[Exception]]]:
    elsewhere = ProviderFactory.create(working=True)
    staff_only = VisitTypeFactory.create(bookable_online=False)
    video = VisitTypeFactory.create(is_telehealth=True)
    closed = ProviderFactory.create(clinic=patient.clinic, accepts_new_patients=False)
    start = at(next_monday(1), "09:00")
    mine = {"provider": wish.provider, "visit_type": wish.appointment_type}
    another = visit_of(PatientFactory.create(clinic=patient.clinic), start, **mine)
    gone = booking.cancel(
        appointment=visit_of(patient, start + HOUR, **mine),
        reason="PATIENT",
        by=PATIENT,
        now=timezone.now(),
    )
    return {
        "the provider works elsewhere": (replace(wish, provider=elsewhere), NotOffered),
        "nobody has the specialty": (
            replace(wish, provider=None, specialty=elsewhere.specialty),
            NotOffered,
        ),
        "nobody at all": (replace(wish, provider=None), NotOffered),
        "only the clinic books it": (replace(wish, appointment_type=staff_only), NotOffered),
        "no video there": (replace(wish, appointment_type=video), NotOffered),
        "no new patients": (replace(wish, provider=closed), NotOffered),
        "not the patient's visit": (replace(wish, replaces=another), NotYours),
        "cancelled": (replace(wish, replaces=gone), NotYours),
        "urgent by oneself": (replace(wish, urgency="URGENT"), StaffOnly),
        "yesterday": (replace(wish, earliest=date(2020, 1, 1)), DaysPassed),
        "until yesterday": (replace(wish, latest=date(2020, 1, 1)), DaysPassed),
        "backwards": (replace(wish, latest=MONDAY - DAY, earliest=MONDAY + DAY), DaysReversed),
        "no hours": (replace(wish, after=time(12), before=time(12)), TimesReversed),
    }


@pytest.mark.parametrize(
    "reason",
    [
        "the provider works elsewhere",
        "nobody has the specialty",
        "nobody at all",
        "only the clinic books it",
        "no video there",
        "no new patients",
        "not the patient's visit",
        "cancelled",
        "urgent by oneself",
        "yesterday",
        "until yesterday",
        "backwards",
        "no hours",
    ],
)
def test_what_could_never_be_met_is_refused(reason: str, patient: Patient, wish: Wish) -> None:
    wanted, refusal = refusals(patient, wish)[reason]
    with pytest.raises(refusal):
        joined(patient, wanted)
    assert not WaitlistEntry.objects.exists()


def test_staff_may_let_new_patients_wait_for_anybody(
    patient: Patient, wish: Wish, desk: Actor
) -> None:
    closed = ProviderFactory.create(clinic=patient.clinic, accepts_new_patients=False)
    staff_only = VisitTypeFactory.create(bookable_online=False)
    assert joined(patient, replace(wish, provider=closed, appointment_type=staff_only), by=desk)


def test_a_visit_that_only_staff_book_can_be_had_sooner_by_who_has_it(
    patient: Patient, wish: Wish
) -> None:
    staff_only = VisitTypeFactory.create(bookable_online=False)
    visit = visit_of(
        patient, at(next_monday(1), "09:00"), provider=wish.provider, visit_type=staff_only
    )
    entry, _ = joined(patient, replace(wish, appointment_type=staff_only, replaces=visit))
    assert entry.replaces == visit


def test_the_eleventh_wait_is_one_too_many(patient: Patient, provider: Provider) -> None:
    def wish() -> Wish:
        return Wish(appointment_type=VisitTypeFactory.create(), provider=provider, earliest=MONDAY)

    for _ in range(10):
        joined(patient, wish())
    with pytest.raises(TooMany):
        joined(patient, wish())
    entries.leave(entries.live_of(patient)[0], by=PATIENT, now=timezone.now())
    joined(patient, wish())


def test_openings_that_may_fit_are_looked_at_again_and_others_are_not(
    patient: Patient, provider: Provider, wish: Wish, now: datetime
) -> None:
    later = now + HOUR
    nine = at(MONDAY, "09:00")
    colleague = ProviderFactory.create(clinic=patient.clinic, specialty=provider.specialty)
    own, theirs = (opening_of(who, nine, next_at=later) for who in (provider, colleague))
    other = opening_of(ProviderFactory.create(clinic=patient.clinic), nine, next_at=later)
    elsewhere = opening_of(provider, nine, clinic=ClinicFactory.create(), next_at=later)

    def looked_at() -> set[Any]:
        found = Opening.objects.filter(next_at=now, round=1)
        pks = set(found.values_list("pk", flat=True))
        found.update(next_at=later, round=0)
        return pks

    entry, _ = joined(patient, wish, now=now)
    assert looked_at() == {own.pk}
    entries.change(
        entry,
        wish=replace(wish, provider=None, specialty=provider.specialty),
        by=PATIENT,
        now=now,
    )
    assert looked_at() == {own.pk, theirs.pk}
    entries.pause(entry, by=PATIENT, now=now)
    assert looked_at() == set()
    entries.resume(entry, by=PATIENT, now=now)
    assert looked_at() == {own.pk, theirs.pk}
    assert not Opening.objects.filter(pk__in=[other.pk, elsewhere.pk]).exclude(round=0).exists()


def test_a_changed_wish_keeps_its_place_and_who_rests_goes_on_resting(
    patient: Patient, wish: Wish, now: datetime
) -> None:
    entry, _ = joined(patient, wish, now=now - DAY)
    entries.pause(entry, by=PATIENT, now=now)
    changed = entries.change(entry, wish=replace(wish, weekdays=(2,)), by=PATIENT, now=now)
    assert (changed.weekdays, changed.status) == ([2], ENTRY.PAUSED)
    assert changed.created_at == now - DAY


def test_a_first_day_that_has_passed_may_stay(patient: Patient, wish: Wish, now: datetime) -> None:
    entry = entry_of(
        patient,
        provider=wish.provider,
        visit_type=wish.appointment_type,
        earliest_desired_date=date(2020, 1, 1),
    )
    wanted = replace(entries.wish_of(entry), weekdays=(0,))
    assert entries.change(entry, wish=wanted, by=PATIENT, now=now).weekdays == [0]
    with pytest.raises(DaysPassed):
        entries.change(entry, wish=replace(wanted, earliest=date(2020, 1, 2)), by=PATIENT, now=now)


def test_a_wish_is_not_changed_into_one_that_waits_already(
    patient: Patient, wish: Wish, now: datetime
) -> None:
    joined(patient, wish)
    other, _ = joined(patient, replace(wish, appointment_type=VisitTypeFactory.create()))
    with pytest.raises(AlreadyWaiting):
        entries.change(other, wish=wish, by=PATIENT, now=now)


@pytest.mark.parametrize("ended", [ENTRY.BOOKED, ENTRY.EXPIRED])
def test_what_has_ended_is_not_changed_any_more(
    patient: Patient, wish: Wish, ended: str, now: datetime
) -> None:
    entry = entry_of(
        patient, provider=wish.provider, visit_type=wish.appointment_type, status=ended
    )
    acts: list[Callable[[], object]] = [
        lambda: entries.change(entry, wish=wish, by=PATIENT, now=now),
        lambda: entries.pause(entry, by=PATIENT, now=now),
        lambda: entries.resume(entry, by=PATIENT, now=now),
        lambda: entries.leave(entry, by=PATIENT, now=now),
    ]
    for act in acts:
        with pytest.raises(EntryEnded) as refusal:
            act()
        assert refusal.value.status == ended
    assert fresh(entry).status == ended


def test_leaving_twice_is_leaving_once(patient: Patient, wish: Wish, now: datetime) -> None:
    entry, _ = joined(patient, wish)
    entries.leave(entry, by=PATIENT, now=now)
    again = entries.leave(entry, by=PATIENT, now=now + HOUR)
    assert (again.status, again.ended_at) == (ENTRY.LEFT, now)


@pytest.mark.parametrize(("act", "status"), [("pause", "PAUSED"), ("leave", "LEFT")])
def test_who_rests_or_leaves_declines_what_is_offered(
    act: str, status: str, patient: Patient, provider: Provider, wish: Wish, now: datetime
) -> None:
    entry, _ = joined(patient, wish)
    opening = opening_of(provider, at(MONDAY, "09:00"), next_at=now + HOUR)
    offer = offer_of(entry, opening)
    getattr(entries, act)(entry, by=PATIENT, now=now)
    offer.refresh_from_db()
    opening.refresh_from_db()
    assert (fresh(entry).status, offer.status) == (status, WaitlistOffer.Status.DECLINED)
    assert opening.next_at == now


def test_every_act_leaves_a_row_of_who_did_it(patient: Patient, wish: Wish, now: datetime) -> None:
    entry, _ = joined(patient, wish)
    entries.pause(entry, by=PATIENT, now=now)
    entries.resume(entry, by=PATIENT, now=now)
    entries.leave(entry, by=PATIENT, now=now)
    rows = AuditEntry.objects.filter(object_pk=str(entry.pk)).order_by("id")
    assert [row.action for row in rows] == [Act.CREATE, Act.UPDATE, Act.UPDATE, Act.UPDATE]
    assert all(row.patient_ids == [patient.pk] for row in rows)
    assert [row.changes["status"][1] for row in rows] == ["WAITING", "PAUSED", "WAITING", "LEFT"]


@pytest.mark.django_db(transaction=True)
def test_two_devices_that_join_at_once_make_one_place(patient: Patient, wish: Wish) -> None:
    begin = threading.Barrier(6)
    answers: list[bool] = []

    def join() -> None:
        try:
            begin.wait()
            answers.append(joined(patient, wish)[1])
        finally:
            connection.close()

    crew = [threading.Thread(target=join) for _ in range(6)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    assert sorted(answers) == [False] * 5 + [True]
    assert WaitlistEntry.objects.count() == 1


def test_what_is_free_now_is_told_before_anybody_waits(
    patient: Patient, clinic: Clinic, provider: Provider, wish: Wish, now: datetime
) -> None:
    wanted = replace(wish, after=time(10), before=time(11, 30))
    visit_of(patient, at(MONDAY, "10:30"), visit_type=VisitTypeFactory.create())
    found = entries.found_now(wanted, patient=patient, clinic=clinic, now=now)
    assert [slot.local_start.strftime("%a %H:%M") for slot in found] == [
        "Mon 10:00",
        "Mon 11:00",
        "Tue 10:00",
    ]
    assert all(slot.provider == provider for slot in found)
    for slot in found:  # and each of them can really be booked
        booking.book(
            patient=PatientFactory.create(clinic=clinic),
            provider=slot.provider,
            clinic=slot.clinic,
            visit_type=wish.appointment_type,
            start=slot.start,
            by=PATIENT,
            now=now,
        )


def test_only_sooner_times_are_free_now_for_who_has_a_visit(
    patient: Patient, clinic: Clinic, provider: Provider, wish: Wish, now: datetime
) -> None:
    visit = visit_of(
        patient, at(MONDAY, "09:00"), provider=provider, visit_type=wish.appointment_type
    )
    wanted = replace(wish, replaces=visit)
    found = entries.found_now(wanted, patient=patient, clinic=clinic, now=now, limit=9)
    assert [slot.local_start.strftime("%H:%M") for slot in found] == ["08:00", "08:30"]


def test_nothing_is_found_where_nothing_is_free(
    patient: Patient, clinic: Clinic, wish: Wish, now: datetime
) -> None:
    wanted = replace(wish, weekdays=(6,))
    assert entries.found_now(wanted, patient=None, clinic=clinic, now=now) == []
