"""What the portal's pages answer to bad input, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from providers.models import Clinic, Provider, VisitType
from tests.factories import ProviderFactory, VisitTypeFactory
from tests.journeys.portal_booking import DETAILS, address, first_day, held, offered, today

pytestmark = pytest.mark.django_db
NOBODY = str(UUID(int=7))


@pytest.fixture(autouse=True)
def _open(provider: Provider, visit_type: VisitType) -> None:
    """Riverside Clinic with one provider and one visit, and nobody who asked too often."""
    cache.clear()


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "NOTHING"},
        {"type": "%00"},
        {"type": "x" * 5_000},
        {"provider": "12"},
        {"provider": NOBODY},
        {"care": NOBODY},
        {"plan": "%00%00"},
        {"plan": NOBODY},
        {"who": "everybody"},
        {"first": "maybe"},
        {"time": "midnight"},
        {"place": "moon"},
        {"language": "'; drop"},
    ],
    ids=lambda changes: str(changes)[:40],
)
@pytest.mark.parametrize("name", ["who", "visit", "preferences", "days", "times", "by_phone"])
def test_a_choice_that_is_not_on_offer_is_no_such_page(
    client: Client, name: str, changes: dict[str, str]
) -> None:
    assert client.get(address(name, **changes)).status_code == 404


def test_an_unknown_or_closed_clinic_is_no_such_page(client: Client, clinic: Clinic) -> None:
    assert client.get(address("days", slug="nowhere")).status_code == 404
    Clinic.objects.filter(pk=clinic.pk).update(slug="closed")
    assert client.get(address("days")).status_code == 404


def test_a_visit_that_only_staff_book_is_no_such_page(client: Client) -> None:
    VisitTypeFactory.create(code="STAFF_ONLY", bookable_online=False)
    assert client.get(address("days", type="STAFF_ONLY")).status_code == 404


def test_an_open_question_leads_back_to_where_it_is_asked(client: Client) -> None:
    assert client.get(address("days", who=""))["Location"] == address("who", who="")
    assert client.get(address("times", type=""))["Location"] == address("visit", type="")


@pytest.mark.parametrize(
    "day", ["", "yesterday", "2001-01-01", "9999-12-31", "0001-01-01", "2026-13-45", "%00"]
)
def test_a_day_that_cannot_be_booked_answers_400_with_days_that_can(
    client: Client, day: str
) -> None:
    response = client.get(address("times", day=day))
    assert response.status_code == 400
    assert "Choose one of these days." in response.content.decode()
    assert 'name="day"' in response.content.decode()


def test_a_day_without_times_says_so_and_shows_the_others(client: Client) -> None:
    sunday = today() + timedelta(days=(6 - today().weekday()) % 7 or 7)
    response = client.get(address("times", day=sunday.isoformat()))
    assert response.status_code == 409
    page = response.content.decode()
    assert "We see no patients on Sunday" in page
    assert "You can choose another day." in page
    assert 'name="day"' in page


@pytest.mark.parametrize("start", ["", "soon", "9999-12-31", "0001-01-01", "%00"])
def test_later_days_start_within_the_horizon(client: Client, start: str) -> None:
    assert client.get(address("days", **{"from": start})).status_code == 200


@pytest.mark.parametrize(
    "slot",
    [
        "",
        "\x00",
        "x" * 1_000_000,
        f"99991231T2359Z.{NOBODY}",
        f"00010101T0000Z.{NOBODY}",
        f"20261345T9999Z.{NOBODY}",
        "20300101T0900Z." + "-" * 36,
    ],
    ids=["empty", "nul", "huge", "last year", "first year", "no date", "no provider"],
)
def test_a_time_that_is_none_is_a_question_asked_again(client: Client, slot: str) -> None:
    response = client.post(address("times", day=first_day(client).isoformat()), {"slot": slot})
    assert response.status_code == 422
    assert "There is a problem" in response.content.decode()


def test_an_unknown_provider_cannot_be_kept(client: Client) -> None:
    start = offered(client, first_day(client))[0].partition(".")[0]
    assert client.post(address("times"), {"slot": f"{start}.{uuid4()}"}).status_code == 404


def test_a_time_outside_hours_or_in_the_past_answers_409(
    client: Client, provider: Provider
) -> None:
    for start in ("20200106T1500Z", f"{first_day(client):%Y%m%d}T0300Z"):
        response = client.post(address("times"), {"slot": f"{start}.{provider.pk}"})
        assert response.status_code == 409


def test_a_provider_who_takes_no_new_patients_is_not_kept_for_one(
    client: Client, provider: Provider, clinic: Clinic
) -> None:
    ProviderFactory.create(clinic=clinic, working=True)
    theirs = offered(client, first_day(client), provider=str(provider.pk))[0]
    Provider.objects.filter(pk=provider.pk).update(accepts_new_patients=False)
    assert client.post(address("times", first="yes"), {"slot": theirs}).status_code == 409


def test_each_time_stands_once_and_any_provider_can_be_chosen(
    client: Client, provider: Provider, clinic: Clinic
) -> None:
    alone = offered(client, first_day(client))
    other = ProviderFactory.create(clinic=clinic, working=True)
    day = first_day(client)
    assert [slot[:14] for slot in offered(client, day)] == [slot[:14] for slot in alone]
    for one in (provider, other):
        theirs = offered(client, day, provider=str(one.pk))
        assert len(theirs) == len(alone)
        assert all(slot.endswith(str(one.pk)) for slot in theirs)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("given_name", ""),
        ("given_name", "\x00"),
        ("given_name", "x" * 900_000),
        ("family_name", "x" * 81),
        ("dob_day", "31"),
        ("dob_month", "Smarch"),
        ("dob_year", "61"),
        ("dob_year", "2999"),
        ("dob_year", "1700"),
        ("dob_year", "٢٠٠١"),
        ("dob_month", ""),
        ("email", "rosa"),
        ("email", "a" * 300 + "@mail.example"),
        ("phone", "twelve"),
        ("phone", "1" * 40),
        ("reason", "x" * 501),
        ("reason", "\x00"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_wrong_details_come_back_with_the_error_and_everything_typed(
    client: Client, name: str, value: str
) -> None:
    hold = held(client)
    response = client.post(reverse("portal:details", args=[hold.pk]), {**DETAILS, name: value})
    page = response.content.decode()
    assert response.status_code == 422
    assert "There is a problem" in page
    for field in {"given_name", "family_name", "phone"} - {name}:
        assert DETAILS[field] in page
    assert client.get(reverse("portal:check", args=[hold.pk])).status_code == 302


@pytest.mark.parametrize(
    "code", ["", "\x00", "x" * 900_000, "12"], ids=["empty", "nul", "huge", "wrong"]
)
def test_a_code_that_is_none_is_asked_for_again(client: Client, code: str) -> None:
    hold = held(client)
    client.post(reverse("portal:details", args=[hold.pk]), DETAILS)
    response = client.post(reverse("portal:code", args=[hold.pk]), {"code": code})
    assert response.status_code == 422


@pytest.mark.parametrize("name", ["details", "check", "code", "booked"])
def test_an_unknown_hold_is_no_longer_kept(client: Client, name: str) -> None:
    assert client.get(reverse(f"portal:{name}", args=[uuid4()])).status_code == 404


@pytest.mark.parametrize("name", ["days", "times"])
def test_the_number_of_queries_does_not_grow_with_providers(
    client: Client, clinic: Clinic, name: str
) -> None:
    day = first_day(client).isoformat()
    where = address(name, day=day)
    with CaptureQueriesContext(connection) as one:
        client.get(where)
    for _more in range(4):
        ProviderFactory.create(clinic=clinic, working=True)
    with CaptureQueriesContext(connection) as five:
        client.get(where)
    assert len(five) == len(one)


def test_a_page_about_a_person_is_never_stored(client: Client) -> None:
    hold = held(client)
    response = client.get(reverse("portal:details", args=[hold.pk]))
    assert response["Cache-Control"] == "no-store"


def test_the_first_questions_set_no_session(client: Client) -> None:
    client.get(address("times", day=first_day(client).isoformat()))
    assert "sessionid" not in client.cookies
