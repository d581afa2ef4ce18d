from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from psycopg.types.range import Range

from patients.models import Patient
from providers.calendars import bump
from providers.fields import new_id
from providers.models import Provider, Role
from scheduling.models import (
    Appointment,
    AppointmentEvent,
    IdempotencyKey,
    Opening,
    SlotHold,
    WaitlistEntry,
    WaitlistOffer,
    WaitlistPolicy,
)
from scheduling.models.appointment import REFERENCE_ALPHABET, new_reference
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    UserFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)
from tests.refusals import commit_checks, declared_in, refused_by, run

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
NINE = at(next_monday(), "09:00")


def alike(visit: Appointment, **changed: Any) -> Appointment:
    """Write a visit like another one past every verb, with only the database to refuse it."""
    start = changed.get("scheduled_start", visit.scheduled_start)
    end = changed.get("scheduled_end", visit.scheduled_end)
    values: dict[str, Any] = {
        "patient": visit.patient,
        "provider": visit.provider,
        "clinic": visit.clinic,
        "appointment_type": visit.appointment_type,
        "scheduled_start": start,
        "scheduled_end": end,
        "busy": Range(start, end),
        "booked_via": "DESK",
    }
    written = Appointment.objects.create(**(values | changed))
    bump([written.provider_id])
    return written


def someone() -> Patient:
    return PatientFactory.create()


def two_visits_with_one_reference() -> None:
    visit = AppointmentFactory.create(start=NINE)
    later = {"scheduled_start": NINE + 60 * MINUTE, "scheduled_end": NINE + 90 * MINUTE}
    alike(visit, reference=visit.reference, **later)


def two_patients_overlap_by_a_minute() -> None:
    visit = AppointmentFactory.create(start=NINE)
    later = {"scheduled_start": NINE + 29 * MINUTE, "scheduled_end": NINE + 59 * MINUTE}
    alike(visit, patient=someone(), **later)


def one_patient_at_two_providers() -> None:
    visit = AppointmentFactory.create(start=NINE)
    alike(visit, provider=ProviderFactory.create())


def one_start_twice() -> None:
    visit = AppointmentFactory.create(start=NINE)
    drop_the_other_rule()
    alike(visit, patient=someone())


def drop_the_other_rule() -> None:
    """Two visits at one start always overlap as well, which is refused first."""
    commit_checks()
    run("ALTER TABLE scheduling_appointment DROP CONSTRAINT appointment_provider_free")


def busy_time_shorter_than_the_visit() -> None:
    visit = AppointmentFactory.create(start=NINE)
    Appointment.objects.filter(pk=visit.pk).update(busy=Range(NINE, NINE + MINUTE))


def unknown_status() -> None:
    Appointment.objects.filter(pk=AppointmentFactory.create().pk).update(status="LOST")


def held() -> SlotHold:
    provider = ProviderFactory.create(working=True)
    return hold_of(provider, VisitTypeFactory.create(), NINE)


def hold_shorter_than_its_visit() -> None:
    SlotHold.objects.filter(pk=held().pk).update(busy=Range(NINE, NINE + MINUTE))


def hold_extended_eleven_times() -> None:
    SlotHold.objects.filter(pk=held().pk).update(extensions=11)


def key_kept_twice() -> None:
    for _ in range(2):
        IdempotencyKey.objects.create(
            actor="browser", key="k", request_digest=b"", expires_at=timezone.now()
        )


def opening() -> Opening:
    provider = ProviderFactory.create()
    return Opening.objects.create(
        provider=provider, clinic=provider.clinic, span=Range(NINE, NINE + MINUTE), cause="CANCEL"
    )


def empty_opening() -> None:
    Opening.objects.filter(pk=opening().pk).update(span=Range(NINE, NINE))


def entry(**changed: Any) -> WaitlistEntry:
    provider = ProviderFactory.create()
    values: dict[str, Any] = {
        "patient": PatientFactory.create(clinic=provider.clinic),
        "clinic": provider.clinic,
        "provider": provider,
        "appointment_type": VisitTypeFactory.create(),
        "earliest_desired_date": date(2026, 6, 1),
    }
    return WaitlistEntry.objects.create(**(values | changed))


def waiting_for_nobody() -> None:
    entry(provider=None)


def waiting_until_before_the_first_day() -> None:
    entry(latest_date=date(2026, 5, 31))


def offer(to: WaitlistEntry, of: Opening, **changed: Any) -> WaitlistOffer:
    values: dict[str, Any] = {
        "visit_type": to.appointment_type,
        "visit_start": NINE,
        "visit_end": NINE + MINUTE,
        "expires_at": timezone.now(),
    }
    return WaitlistOffer.objects.create(
        entry=to,
        opening=of,
        token_digest=new_id().bytes,
        **(values | changed),
    )


def one_opening_offered_twice_to_one_entry() -> None:
    waiting, freed = entry(), opening()
    offer(waiting, freed)
    offer(waiting, freed)


def one_opening_claimed_by_two() -> None:
    freed = opening()
    offer(entry(), freed, status="CLAIMED")
    offer(entry(), freed, status="CLAIMED")


def one_entry_offered_two_openings_at_once() -> None:
    waiting = entry()
    offer(waiting, opening())
    offer(waiting, opening())


def offer_that_ends_before_it_begins() -> None:
    offer(entry(), opening(), visit_end=NINE - MINUTE)


def opening_ended_for_no_reason() -> None:
    Opening.objects.filter(pk=opening().pk).update(state=Opening.State.CLOSED)


def policy(**values: Any) -> WaitlistPolicy:
    return WaitlistPolicy.objects.create(**{"clinic": ClinicFactory.create(), **values})


def two_policies_for_all_visits_of_a_clinic() -> None:
    policy(clinic=policy().clinic)


def window_shorter_than_the_shortest() -> None:
    policy(window_minutes=10, shortest_window_minutes=15)


def spacing_longer_than_the_longest() -> None:
    policy(shortest_spacing_minutes=30, longest_spacing_minutes=20)


VIOLATIONS: dict[str, Callable[[], None]] = {
    "appointment_reference_once": two_visits_with_one_reference,
    "appointment_provider_free": two_patients_overlap_by_a_minute,
    "appointment_patient_free": one_patient_at_two_providers,
    "appointment_busy_holds_visit": busy_time_shorter_than_the_visit,
    "appointment_status_known": unknown_status,
    "hold_busy_holds_visit": hold_shorter_than_its_visit,
    "hold_extended_at_most_ten_times": hold_extended_eleven_times,
    "idempotency_key_once": key_kept_twice,
    "opening_not_empty": empty_opening,
    "waitlist_provider_or_specialty": waiting_for_nobody,
    "waitlist_dates_in_order": waiting_until_before_the_first_day,
    "offer_once_per_opening": one_opening_offered_twice_to_one_entry,
    "opening_claimed_once": one_opening_claimed_by_two,
    "opening_ended_for_a_reason": opening_ended_for_no_reason,
    "offer_one_at_a_time": one_entry_offered_two_openings_at_once,
    "offer_visit_in_order": offer_that_ends_before_it_begins,
    "waitlist_policy_once": two_policies_for_all_visits_of_a_clinic,
    "waitlist_windows_in_order": window_shorter_than_the_shortest,
    "waitlist_spacings_in_order": spacing_longer_than_the_longest,
    "appointment_start_once": one_start_twice,
}


@pytest.mark.parametrize("constraint", VIOLATIONS)
def test_the_database_itself_refuses(constraint: str) -> None:
    with refused_by(constraint):
        VIOLATIONS[constraint]()


def test_every_declared_constraint_is_violated_above() -> None:
    assert declared_in("scheduling") == set(VIOLATIONS)


def test_an_empty_visit_is_refused() -> None:
    visit = AppointmentFactory.create(start=NINE)
    with refused_by("appointment_busy_holds_visit"):
        Appointment.objects.filter(pk=visit.pk).update(scheduled_end=NINE)


def test_two_overbookings_at_one_start_stand_side_by_side() -> None:
    visit = AppointmentFactory.create(start=NINE)
    alike(visit, patient=someone(), overbook_lane=1)
    alike(visit, patient=someone(), overbook_lane=2)
    commit_checks()


def test_two_overbookings_in_one_lane_do_not() -> None:
    visit = AppointmentFactory.create(start=NINE)
    alike(visit, patient=someone(), overbook_lane=1)
    with refused_by("appointment_provider_free"):
        alike(visit, patient=someone(), overbook_lane=1)


def test_one_patient_may_come_back_to_back_across_a_buffer() -> None:
    buffered = VisitTypeFactory.create(buffer_after_minutes=15)
    visit = AppointmentFactory.create(start=NINE, visit_type=buffered)
    after = {"scheduled_start": NINE + 30 * MINUTE, "scheduled_end": NINE + 60 * MINUTE}
    alike(visit, provider=ProviderFactory.create(), **after)
    commit_checks()


def test_the_provider_may_not_be_booked_inside_the_buffer() -> None:
    buffered = VisitTypeFactory.create(buffer_after_minutes=15)
    visit = AppointmentFactory.create(start=NINE, visit_type=buffered)
    after = {"scheduled_start": NINE + 30 * MINUTE, "scheduled_end": NINE + 60 * MINUTE}
    with refused_by("appointment_provider_free"):
        alike(visit, patient=someone(), **after)


def test_visits_that_touch_are_both_booked() -> None:
    visit = AppointmentFactory.create(start=NINE)
    alike(visit, scheduled_start=NINE + 30 * MINUTE, scheduled_end=NINE + 60 * MINUTE)
    commit_checks()


def test_a_cancelled_visit_stands_in_nobodys_way() -> None:
    visit = AppointmentFactory.create(start=NINE)
    Appointment.objects.filter(pk=visit.pk).update(status="CANCELLED")
    alike(visit, patient=someone())
    alike(visit, status="CANCELLED")
    commit_checks()


def test_history_is_never_changed_nor_removed() -> None:
    visit = AppointmentFactory.create()
    with refused_by("appointment_event_append_only"):
        AppointmentEvent.objects.update(kind="OTHER")
    with refused_by("appointment_event_append_only"):
        AppointmentEvent.objects.all().delete()
    with refused_by("appointment_event_append_only"):
        Appointment.objects.filter(pk=visit.pk).delete()


def test_references_use_no_letters_that_are_misheard() -> None:
    assert {len(new_reference()) for _ in range(100)} == {8}
    assert not set("AEIOUL01") & set(REFERENCE_ALPHABET)


def test_the_own_desk_provider_and_patient_see_a_visit_and_strangers_do_not(
    provider: Provider,
) -> None:
    patient = PatientFactory.create(clinic=provider.clinic, user=UserFactory.create())
    visit = AppointmentFactory.create(provider=provider, patient=patient)
    AppointmentFactory.create()
    desk = MembershipFactory.create(clinic=provider.clinic).user
    MembershipFactory.create(clinic=provider.clinic, role=Role.PROVIDER, user=provider.user)
    for user in (desk, provider.user, patient.user):
        assert user is not None
        assert list(Appointment.objects.visible_to(user)) == [visit]
    strangers = (MembershipFactory.create().user, UserFactory.create())
    for user in strangers:
        assert not Appointment.objects.visible_to(user)


def test_visits_are_picked_by_a_half_open_span(provider: Provider) -> None:
    first = AppointmentFactory.create(provider=provider, start=NINE)
    AppointmentFactory.create(provider=provider, start=NINE + 30 * MINUTE)
    assert list(Appointment.objects.starting(NINE, NINE + 30 * MINUTE)) == [first]


def test_a_start_is_told_on_the_clinics_wall_clock() -> None:
    visit = AppointmentFactory.create(start=NINE)
    assert f"{visit.local_start:%H:%M}" == "09:00"
    assert f"{visit.local_end:%H:%M}" == "09:30"


def test_only_holds_that_have_not_expired_are_live() -> None:
    hold = held()
    assert list(SlotHold.objects.live()) == [hold]
    SlotHold.objects.update(expires_at=F("expires_at") - timedelta(hours=1))
    assert not SlotHold.objects.live()
