"""The day board as a page: what it shows, how it is polled, and what it remembers."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from providers.models import Clinic, Provider, Role, VisitType
from scheduling import booking
from scheduling.actors import Actor
from scheduling.models import Appointment
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
)
from tests.scheduling.desk_cast import HTMX, MONDAY, NINE, at_the_desk, shown

pytestmark = pytest.mark.django_db

BOARD = f"/desk/?day={MONDAY}"


@pytest.fixture
def nine(provider: Provider, visit_type: VisitType) -> Appointment:
    patient = PatientFactory.create(
        clinic=provider.clinic, given_name="Ada", family_name="Moreno", name=""
    )
    return AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=NINE, patient=patient
    )


@pytest.fixture
def receptionist(clinic: Clinic) -> Client:
    return at_the_desk(clinic)


def poll_of(page: bytes) -> str:
    found = re.search(r'hx-get="(/desk/now/[^"]+)"', page.decode())
    assert found is not None
    return unescape(found[1])


def writes(asked: CaptureQueriesContext) -> list[str]:
    words = ("INSERT", "UPDATE", "DELETE", "SAVEPOINT")
    return [query["sql"] for query in asked if query["sql"].startswith(words)]


def test_a_column_names_its_provider_counts_free_times_and_shows_each_visit(
    receptionist: Client, nine: Appointment
) -> None:
    page = shown(receptionist.get(BOARD))
    assert "Dr. Amara Diallo" in page
    assert "17 of 18 free" in page
    assert "Ada Moreno Scheduled 9:00 am to 9:30 am" in page


@pytest.mark.parametrize("providers", [1, 10])
def test_the_board_asks_at_most_eight_questions_however_many_providers_work(
    clinic: Clinic, receptionist: Client, visit_type: VisitType, providers: int
) -> None:
    for _ in range(providers):
        someone = ProviderFactory.create(clinic=clinic, working=True)
        AppointmentFactory.create(provider=someone, visit_type=visit_type, start=NINE)
    receptionist.get(reverse("desk:shortcuts"))  # the menu counts what waits, every 20 seconds
    with CaptureQueriesContext(connection) as asked:
        receptionist.get(BOARD)
    assert len(asked) == 8


def test_a_poll_of_an_unchanged_board_says_nothing(receptionist: Client, nine: Appointment) -> None:
    poll = poll_of(receptionist.get(BOARD).content)
    answer = receptionist.get(poll, headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_poll_shows_what_somebody_else_did(
    receptionist: Client, nine: Appointment, desk: Actor
) -> None:
    poll = poll_of(receptionist.get(BOARD).content)
    booking.confirm(appointment=nine, by=desk, now=nine.scheduled_start - timedelta(days=1))
    answer = receptionist.get(poll, headers=HTMX)
    assert answer.status_code == 200
    assert "Ada Moreno Confirmed" in shown(answer)
    assert f'id="visit-{nine.pk}"' in answer.content.decode()
    assert receptionist.get(poll_of(answer.content), headers=HTMX).status_code == 204


def test_a_poll_does_not_keep_the_session_alive(receptionist: Client, nine: Appointment) -> None:
    poll = poll_of(receptionist.get(BOARD).content)
    with CaptureQueriesContext(connection) as asked:
        receptionist.get(poll, headers=HTMX)
    assert not writes(asked)


def test_the_board_is_never_stored(receptionist: Client, nine: Appointment) -> None:
    assert receptionist.get(BOARD)["Cache-Control"] == "no-store"


def test_the_filter_is_remembered_and_other_columns_are_gone(
    receptionist: Client, clinic: Clinic, provider: Provider
) -> None:
    other = ProviderFactory.create(clinic=clinic, name="Dr. Other", working=True)
    sent = receptionist.post("/desk/", {"specialty": provider.specialty_id, "day": str(MONDAY)})
    assert sent["Location"] == BOARD
    for _ in range(2):
        page = shown(receptionist.get(BOARD))
        assert "Dr. Amara Diallo" in page
        assert other.name not in page
    receptionist.post("/desk/", {"specialty": "", "day": str(MONDAY)})
    assert other.name in shown(receptionist.get(BOARD))


def test_looking_at_a_day_changes_nothing(receptionist: Client, provider: Provider) -> None:
    with CaptureQueriesContext(connection) as asked:
        receptionist.get(BOARD, {"specialty": str(provider.specialty_id)})
    assert not writes(asked)


def test_previous_next_and_today_lead_to_those_days(
    receptionist: Client, provider: Provider
) -> None:
    page = receptionist.get(BOARD).content.decode()
    assert f'href="/desk/?day={MONDAY - timedelta(days=1)}" rel="prev" data-key="["' in page
    assert f'href="/desk/?day={MONDAY + timedelta(days=1)}" rel="next" data-key="]"' in page


def test_a_day_on_which_nobody_works_says_so(receptionist: Client, provider: Provider) -> None:
    sunday = MONDAY - timedelta(days=1)
    assert "Nobody works on this day" in shown(receptionist.get(f"/desk/?day={sunday}"))


@pytest.mark.parametrize(
    "day",
    ["yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "2026-06-09\0", "9" * 5_000, "1e9"],
)
def test_a_day_that_is_none_is_not_found(
    receptionist: Client, provider: Provider, day: str
) -> None:
    assert receptionist.get("/desk/", {"day": day}).status_code == 404
    assert receptionist.get("/desk/now/", {"day": day}).status_code == 404
    assert receptionist.post("/desk/", {"day": day, "specialty": ""}).status_code == 404


@pytest.mark.parametrize("specialty", ["x", "\0", "0" * 100_000, "3f7b0c55-0000-7000-8000-0000"])
def test_a_specialty_that_is_none_is_not_found(receptionist: Client, specialty: str) -> None:
    assert receptionist.post("/desk/", {"specialty": specialty}).status_code == 404


def test_the_clinic_is_chosen_by_posting_among_ones_own(
    receptionist: Client, clinic: Clinic
) -> None:
    user = clinic.memberships.get().user
    second = ClinicFactory.create(name="Uptown Clinic")
    MembershipFactory.create(user=user, clinic=second)
    receptionist.force_login(user)  # another role has ended the sign-in
    assert "Uptown Clinic" in shown(receptionist.get("/desk/"))
    receptionist.post(reverse("desk:choose_clinic"), {"clinic": second.pk})
    page = receptionist.get("/desk/")
    assert page.context["current_clinic"] == second
    assert page.context["clinics"] == [clinic]


@pytest.mark.parametrize("wanted", ["", "x", "\0", "other"])
def test_a_clinic_that_is_not_ones_own_cannot_be_chosen(receptionist: Client, wanted: str) -> None:
    other = ClinicFactory.create()
    clinic = str(other.pk) if wanted == "other" else wanted
    assert receptionist.post(reverse("desk:choose_clinic"), {"clinic": clinic}).status_code == 404


def test_the_board_is_for_the_desk_alone(clinic: Clinic, provider: Provider) -> None:
    assert Client().get("/desk/").status_code == 302
    assert at_the_desk(clinic, Role.PROVIDER).get("/desk/").status_code == 404
    assert at_the_desk(clinic, Role.PRIVACY_OFFICER).get("/desk/").status_code == 404


def test_single_keys_are_turned_off_and_on_again(receptionist: Client) -> None:
    page = reverse("desk:shortcuts")
    assert 'data-shortcuts="on"' in receptionist.get(page).content.decode()
    receptionist.post(page, {"keys": "off"})
    assert 'data-shortcuts="off"' in receptionist.get("/desk/").content.decode()
    receptionist.post(page, {"keys": "on"})
    assert 'data-shortcuts="on"' in receptionist.get("/desk/").content.decode()
