"""The desk's pages about who waits: the list, letting somebody wait, one who waits."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.models import Appointment, WaitlistEntry
from scheduling.models import WaitlistOffer as Offer
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    VisitTypeFactory,
)
from tests.factories.waitlist import entry_of, offer_of, opening_of
from tests.scheduling.desk_cast import MONDAY, NINE, at_the_desk, shown

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def desk(clinic: Clinic, visit_type: VisitType) -> Client:
    return at_the_desk(clinic)


@pytest.fixture
def rosa(clinic: Clinic) -> Patient:
    return PatientFactory.create(clinic=clinic, name="Rosa Moreno", phone="+12125550111")


@pytest.fixture
def entry(rosa: Patient, provider: Provider, visit_type: VisitType) -> WaitlistEntry:
    since = timezone.now() - 23 * DAY
    return entry_of(rosa, provider=provider, visit_type=visit_type, created_at=since)


def told(provider: Provider, kind: VisitType, /, **more: Any) -> dict[str, Any]:
    """Return what a filled-in form sends."""
    return {
        "type": kind.code,
        "whom": f"provider:{provider.pk}",
        "earliest": MONDAY.isoformat(),
        "notice": "120",
        "urgency": "ROUTINE",
    } | more


def join(desk: Client, patient: Patient, form: dict[str, Any], query: str = "") -> Any:
    return desk.post(reverse("desk:waitlist_join", args=[patient.pk]) + query, form)


def page_of(desk: Client, entry: WaitlistEntry) -> str:
    answer = desk.get(reverse("desk:waitlist_entry", args=[entry.pk]))
    assert answer.status_code == 200, answer.content[:1000]
    return shown(answer)


def do(desk: Client, name: str, entry: WaitlistEntry) -> Any:
    return desk.post(reverse(f"desk:waitlist_{name}", args=[entry.pk]), follow=True)


def test_the_list_shows_who_waits_for_what_and_how_long(desk: Client, entry: WaitlistEntry) -> None:
    entry_of(provider=entry.provider, visit_type=entry.appointment_type)
    text = shown(desk.get(reverse("desk:waitlist")))
    assert "Rosa Moreno" in text
    assert "23 days" in text
    assert "(212) 555-0111" in text
    assert "Any day, any time, from" in text


def test_who_is_being_offered_a_time_leads_to_its_gap(desk: Client, entry: WaitlistEntry) -> None:
    assert entry.provider is not None
    gap = opening_of(entry.provider, NINE)
    offer_of(entry, gap)
    page = desk.get(reverse("desk:waitlist"))
    assert "Offered until" in shown(page)
    assert reverse("desk:gap", args=[gap.pk]) in page.content.decode()


def test_the_list_is_narrowed_by_provider_type_and_urgency(
    desk: Client, clinic: Clinic, entry: WaitlistEntry
) -> None:
    other = ProviderFactory.create(clinic=clinic, working=True)
    kind = VisitTypeFactory.create(code="LONG_ONE", label="Long one")
    ben = PatientFactory.create(clinic=clinic, name="Ben Okafor")
    entry_of(ben, provider=other, visit_type=kind, urgency="URGENT")
    where = reverse("desk:waitlist")
    for query in ({"provider": str(other.pk)}, {"type": "LONG_ONE"}, {"urgency": "URGENT"}):
        text = shown(desk.get(where, query))
        assert "Ben Okafor" in text
        assert "Rosa Moreno" not in text
    answer = desk.get(where, {"provider": "nobody"})
    assert answer.status_code == 422


def test_another_clinics_list_is_not_shown(desk: Client, entry: WaitlistEntry) -> None:
    away = ProviderFactory.create(clinic=ClinicFactory.create(), working=True)
    other = entry_of(PatientFactory.create(clinic=away.clinic, name="Far Away"), provider=away)
    assert "Far Away" not in shown(desk.get(reverse("desk:waitlist")))
    for name in ("entry", "leave"):
        assert desk.get(reverse(f"desk:waitlist_{name}", args=[other.pk])).status_code == 404
    for name in ("entry", "leave", "pause", "resume"):
        assert desk.post(reverse(f"desk:waitlist_{name}", args=[other.pk])).status_code == 404


def test_a_patient_is_let_wait_with_all_that_was_told(
    desk: Client, rosa: Patient, provider: Provider, visit_type: VisitType
) -> None:
    wish = {
        "latest": (MONDAY + 30 * DAY).isoformat(),
        "weekdays": ["0", "2"],
        "after": "08:00",
        "before": "12:00",
        "notice": "1440",
        "video": "on",
        "urgency": "URGENT",
    }
    answer = join(desk, rosa, told(provider, visit_type, **wish))
    entry = WaitlistEntry.objects.get()
    assert answer["Location"] == reverse("desk:waitlist_entry", args=[entry.pk])
    assert (entry.patient, entry.provider, entry.source) == (rosa, provider, "DESK")
    assert (entry.weekdays, entry.after_time, entry.before_time) == ([0, 2], time(8), time(12))
    assert entry.latest_date == MONDAY + 30 * DAY
    assert (entry.minimum_notice_minutes, entry.telehealth_acceptable) == (1440, True)
    assert entry.urgency == "URGENT"
    assert "Rosa Moreno is on the waitlist." in shown(desk.get(answer["Location"]))


def test_a_patient_can_wait_for_anybody_of_a_specialty(
    desk: Client, rosa: Patient, provider: Provider, visit_type: VisitType
) -> None:
    join(desk, rosa, told(provider, visit_type, whom=f"specialty:{provider.specialty_id}"))
    entry = WaitlistEntry.objects.get()
    assert (entry.provider, entry.specialty) == (None, provider.specialty)


def test_who_waits_for_the_same_already_keeps_the_place(
    desk: Client, entry: WaitlistEntry, visit_type: VisitType
) -> None:
    assert entry.provider is not None
    answer = join(desk, entry.patient, told(entry.provider, visit_type, weekdays=["4"]))
    assert "waited for this already" in shown(desk.get(answer["Location"]))
    kept = WaitlistEntry.objects.get()
    assert (kept.created_at, kept.weekdays) == (entry.created_at, [4])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"whom": ""}, "With:"),
        ({"whom": "provider:nobody"}, "With:"),
        ({"latest": "2020-01-01"}, "This day has passed."),
        ({"earliest": "soon"}, "From:"),
        ({"after": "12:00", "before": "09:00"}, "This is before the first time."),
        ({"weekdays": ["9"]}, "Days:"),
        ({"notice": "7"}, "Needs to know ahead:"),
    ],
)
def test_what_nobody_could_meet_is_asked_again(
    wrong: dict[str, Any],
    said: str,
    desk: Client,
    rosa: Patient,
    provider: Provider,
    visit_type: VisitType,
) -> None:
    answer = join(desk, rosa, told(provider, visit_type, **wrong))
    assert answer.status_code == 422
    assert said in shown(answer)
    assert not WaitlistEntry.objects.exists()


def test_a_first_day_that_has_passed_is_refused_and_what_was_typed_stays(
    desk: Client, rosa: Patient, provider: Provider, visit_type: VisitType
) -> None:
    answer = join(desk, rosa, told(provider, visit_type, earliest="2020-01-01", after="08:15"))
    assert answer.status_code == 409
    assert 'value="08:15"' in answer.content.decode()


def test_looking_first_shows_what_is_free_and_writes_nothing(
    desk: Client, rosa: Patient, provider: Provider, visit_type: VisitType
) -> None:
    page = join(desk, rosa, told(provider, visit_type, step="look"))
    assert page.status_code == 200
    assert str(provider) in shown(page)
    assert f"{reverse('desk:book')}?" in page.content.decode()
    assert not WaitlistEntry.objects.exists()


def test_a_search_that_found_nothing_leads_to_waiting_with_what_was_asked(
    desk: Client, rosa: Patient, provider: Provider, visit_type: VisitType
) -> None:
    where = reverse("desk:next_available")
    asked = {"type": visit_type.code, "language": "", "provider": str(provider.pk)}
    nothing = desk.get(where, asked | {"part": "evening", "patient": str(rosa.pk)})
    assert "Let them wait for it" in shown(nothing)
    href = nothing.context["wait_href"]
    assert href.startswith(reverse("desk:waitlist_join", args=[rosa.pk]))
    form = desk.get(href).context["form"]
    assert form["whom"].value() == f"provider:{provider.pk}"
    assert form["after"].value() == time(17)
    unknown = desk.get(where, asked | {"part": "evening"}).context["wait_href"]
    assert unknown.startswith(reverse("desk:waitlist_find"))


def test_who_is_to_wait_is_found_by_name_and_leads_on_with_the_wish(
    desk: Client, rosa: Patient, provider: Provider
) -> None:
    where = f"{reverse('desk:waitlist_find')}?provider={provider.pk}"
    page = desk.post(where, {"q": "Moreno"})
    (row,) = page.context["results"]
    assert row["href"] == (
        f"{reverse('desk:waitlist_join', args=[rosa.pk])}?provider={provider.pk}"
    )
    known = desk.get(f"{where}&patient={rosa.pk}")
    assert known["Location"] == row["href"]


def test_a_visit_leads_to_waiting_for_an_earlier_one_that_replaces_it(
    desk: Client, rosa: Patient, provider: Provider, visit_type: VisitType
) -> None:
    visit = AppointmentFactory.create(
        provider=provider, patient=rosa, visit_type=visit_type, start=NINE + 7 * DAY
    )
    panel = desk.get(reverse("desk:appointment", args=[visit.pk]))
    assert "Wants an earlier time" in shown(panel)
    query = f"?replaces={visit.pk}"
    assert query in panel.content.decode()
    page = desk.get(reverse("desk:waitlist_join", args=[rosa.pk]) + query)
    assert "takes the place of the one on" in shown(page)
    assert page.context["form"]["whom"].value() == f"provider:{provider.pk}"
    join(desk, rosa, told(provider, visit_type), query)
    assert WaitlistEntry.objects.get().replaces == visit


def test_another_patients_visit_cannot_be_replaced(
    desk: Client, rosa: Patient, clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    other = AppointmentFactory.create(
        provider=provider,
        patient=PatientFactory.create(clinic=clinic),
        visit_type=visit_type,
        start=NINE,
    )
    where = reverse("desk:waitlist_join", args=[rosa.pk])
    assert desk.get(where, {"replaces": str(other.pk)}).status_code == 404


def test_the_patients_page_leads_to_the_waitlist(desk: Client, rosa: Patient) -> None:
    page = desk.get(reverse("desk:patient", args=[rosa.pk]))
    assert reverse("desk:waitlist_join", args=[rosa.pk]) in page.content.decode()


def test_the_patients_page_shows_what_they_wait_for(desk: Client, entry: WaitlistEntry) -> None:
    page = desk.get(reverse("desk:patient", args=[entry.patient_id]))
    assert "Any day, any time" in shown(page)
    assert reverse("desk:waitlist_entry", args=[entry.pk]) in page.content.decode()


def test_an_entry_shows_its_wishes_what_is_free_and_what_was_offered(
    desk: Client, entry: WaitlistEntry
) -> None:
    assert entry.provider is not None
    offer_of(entry, opening_of(entry.provider, NINE), status=Offer.Status.DECLINED)
    text = page_of(desk, entry)
    assert "Declined" in text
    assert "Free now" in text
    assert "Any day, any time" in text


def test_the_wishes_are_changed_and_the_place_is_kept(
    desk: Client, entry: WaitlistEntry, visit_type: VisitType
) -> None:
    assert entry.provider is not None
    where = reverse("desk:waitlist_entry", args=[entry.pk])
    answer = desk.post(where, told(entry.provider, visit_type, weekdays=["1"]), follow=True)
    assert "The place is kept." in shown(answer)
    assert "Tuesdays" in shown(answer)
    kept = WaitlistEntry.objects.get()
    assert kept.created_at == entry.created_at


def test_wishes_that_are_wrong_are_not_saved(
    desk: Client, entry: WaitlistEntry, visit_type: VisitType
) -> None:
    assert entry.provider is not None
    where = reverse("desk:waitlist_entry", args=[entry.pk])
    wrong = told(entry.provider, visit_type, latest="2020-01-01", weekdays=["1"])
    assert desk.post(where, wrong).status_code == 422
    assert WaitlistEntry.objects.get().weekdays == []


def test_who_pauses_is_offered_nothing_until_they_wait_again(
    desk: Client, entry: WaitlistEntry
) -> None:
    assert "keeps the place" in shown(do(desk, "pause", entry))
    entry.refresh_from_db()
    assert entry.status == "PAUSED"
    assert "Offer times again" in page_of(desk, entry)
    assert "waits again" in shown(do(desk, "resume", entry))
    entry.refresh_from_db()
    assert entry.status == "WAITING"


def test_leaving_asks_first(desk: Client, entry: WaitlistEntry) -> None:
    asked = shown(desk.get(reverse("desk:waitlist_leave", args=[entry.pk])))
    assert "Take Rosa Moreno off the waitlist?" in asked
    assert "waits 23 days" in asked
    entry.refresh_from_db()
    assert entry.status == "WAITING"
    assert "Rosa Moreno is off the waitlist." in shown(do(desk, "leave", entry))
    entry.refresh_from_db()
    assert entry.status == "LEFT"
    assert "Save the wishes" not in page_of(desk, entry)


def test_one_who_has_left_cannot_pause(desk: Client, entry: WaitlistEntry) -> None:
    do(desk, "leave", entry)
    answer = desk.post(reverse("desk:waitlist_pause", args=[entry.pk]))
    assert answer.status_code == 409
    assert "has ended" in shown(answer)


def test_a_cancelled_visits_panel_leads_to_its_gap(
    desk: Client, rosa: Patient, provider: Provider, visit_type: VisitType
) -> None:
    visit: Appointment = AppointmentFactory.create(
        provider=provider, patient=rosa, visit_type=visit_type, start=NINE
    )
    where = reverse("desk:cancel", args=[visit.pk])
    form = {"version": visit.version, "reason": "PATIENT_REQUEST"}
    text = shown(desk.post(where, form, follow=True))
    assert "Fill this gap" in text


def test_the_list_asks_the_same_however_many_wait(
    desk: Client, entry: WaitlistEntry, django_assert_max_num_queries: Any
) -> None:
    for _number in range(8):
        other = entry_of(provider=entry.provider, visit_type=entry.appointment_type)
        assert entry.provider is not None
        offer_of(other, opening_of(entry.provider, NINE + DAY))
    desk.get(reverse("desk:waitlist"))
    with django_assert_max_num_queries(14):
        desk.get(reverse("desk:waitlist"))
