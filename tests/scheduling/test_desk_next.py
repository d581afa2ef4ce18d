"""The next free times, and keeping one for a caller."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from patients.models import Patient
from providers.models import Clinic, Provider, VisitType
from scheduling.actors import Actor
from scheduling.models import SlotHold
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    PatientFactory,
    ProviderFactory,
    VisitTypeFactory,
    at,
    hold_of,
    next_monday,
)
from tests.scheduling.desk_cast import shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(clinic: Clinic) -> User:
    return MembershipFactory.create(clinic=clinic).user


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def peer(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(MembershipFactory.create(clinic=clinic).user)
    return client


def asked(**changes: Any) -> dict[str, Any]:
    return {"type": "FOLLOW_UP", "day": next_monday().isoformat(), **changes}


def times(client: Client, **changes: Any) -> list[tuple[str, str, str]]:
    days = client.get(reverse("desk:next_available"), asked(**changes)).context["days"]
    return [(day["label"], row["time"], row["name"]) for day in days for row in day["rows"]]


def kept(provider: Provider, visit_type: VisitType, clock: str = "09:00") -> dict[str, Any]:
    start = at(next_monday(), clock)
    return {
        "start": start.isoformat(),
        "provider": str(provider.pk),
        "clinic": str(provider.clinic.pk),
        "type": visit_type.code,
    }


def keep(client: Client, provider: Provider, visit_type: VisitType, **changes: Any) -> SlotHold:
    answer = client.post(reverse("desk:hold_place"), {**kept(provider, visit_type), **changes})
    hold = SlotHold.objects.get()
    assert answer["Location"] == reverse("desk:hold", args=[hold.pk])
    return hold


@pytest.mark.usefixtures("visit_type")
def test_free_times_of_all_providers_stand_in_order(client: Client, provider: Provider) -> None:
    ProviderFactory.create(clinic=provider.clinic, name="Dr. Zoe Young", working=True)
    first, second, third = times(client)[:3]
    assert (first[1:], second[1:]) == (
        ("8:00\xa0am", "Dr. Amara Diallo"),
        ("8:00\xa0am", "Dr. Zoe Young"),
    )
    assert third[1] == "8:30\xa0am"


@pytest.mark.usefixtures("visit_type")
def test_pages_follow_each_other_without_gap_or_repeat(client: Client, provider: Provider) -> None:
    for number in range(6):
        ProviderFactory.create(clinic=provider.clinic, name=f"Dr. P{number}", working=True)
    pages = [page.rows for page in leaf(client, 4)]
    assert [len(rows) for rows in pages] == [20] * 4
    seen = [row for rows in pages for row in rows]
    assert len(set(seen)) == 80
    assert seen[:14] == sorted(seen[:14], key=itemgetter(1, 2))
    assert (seen[0][1], seen[-1][1]) == ("8:00\xa0am", "1:30\xa0pm")


@pytest.mark.usefixtures("visit_type")
def test_more_providers_than_fit_a_page_are_free_at_one_time_and_none_is_left_out(
    client: Client, provider: Provider
) -> None:
    for number in range(24):
        ProviderFactory.create(clinic=provider.clinic, name=f"Dr. P{number:02}", working=True)
    first, second, third = (page.rows for page in leaf(client, 3))
    assert [row[1] for row in first] == ["8:00\xa0am"] * 20
    assert [row[1] for row in second] == ["8:00\xa0am"] * 5 + ["8:30\xa0am"] * 15
    assert [row[1] for row in third[:10]] == ["8:30\xa0am"] * 10
    assert len({row[2] for row in [*first, *second[:5]]}) == 25


@pytest.mark.usefixtures("visit_type")
def test_of_providers_with_one_name_none_is_left_out(client: Client, provider: Provider) -> None:
    ProviderFactory.create_batch(24, clinic=provider.clinic, name="Dr. Same", working=True)
    links = [link for page in leaf(client, 3) for link in page.links]
    assert len(links) == len(set(links)) == 60


def test_what_is_booked_between_two_pages_moves_nothing_to_the_other(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    others = [
        ProviderFactory.create(clinic=provider.clinic, name=f"Dr. P{number:02}", working=True)
        for number in range(9)
    ]
    before = [row for page in leaf(client, 3) for row in page.rows]
    pages = leaf(client, 3)
    seen = next(pages).rows
    last = others[-1]  # the last one shown: gone, its place still divides the pages
    for whose, clock in ((last, "08:30"), (provider, "08:00"), (provider, "09:00")):
        AppointmentFactory.create(
            provider=whose, visit_type=visit_type, start=at(next_monday(), clock)
        )
    seen += next(pages).rows + next(pages).rows
    assert len(seen) == len(set(seen)) == 60
    assert set(before) - set(seen) == {(before[0][0], "9:00\xa0am", provider.name)}


@pytest.mark.usefixtures("visit_type")
def test_the_first_page_has_the_way_on_and_later_ones_the_way_to_the_first(
    client: Client, provider: Provider
) -> None:
    ProviderFactory.create_batch(3, clinic=provider.clinic, working=True)
    first, second = leaf(client, 2, provider=provider.pk)
    assert first.context["first_href"] == ""
    assert "provider=" in first.context["later_href"]
    assert {row[2] for row in second.rows} == {provider.name}
    again = client.get(second.context["first_href"])
    assert again.context["days"] == first.context["days"]
    assert 'rel="next"' in again.content.decode()


@pytest.mark.usefixtures("visit_type")
def test_the_last_page_has_no_later_times(client: Client, provider: Provider) -> None:
    everything = list(leaf(client, 1000, provider=provider.pk, not_on=["0", "1", "2", "3"]))
    assert everything[-1].context["later_href"] == ""
    assert all(len(page.rows) == 20 for page in everything[:-1])
    assert sum(len(page.rows) for page in everything) % 18 == 0


@dataclass(frozen=True)
class Page:
    context: Any

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        days = self.context["days"]
        return [(day["label"], row["time"], row["name"]) for day in days for row in day["rows"]]

    @property
    def links(self) -> list[str]:
        return [row["book_href"] for day in self.context["days"] for row in day["rows"]]


def leaf(client: Client, pages: int, **changes: Any) -> Iterator[Page]:
    """Go from page to page by their own links, each asked for when it is wanted."""
    query = urlencode(asked(**changes), doseq=True)
    address = f"{reverse('desk:next_available')}?{query}"
    for _page in range(pages):
        page = Page(client.get(address).context)
        yield page
        address = page.context["later_href"]
        if not address:
            return


@pytest.mark.usefixtures("visit_type")
def test_constraints_are_kept(client: Client, provider: Provider) -> None:
    monday = next_monday()
    other = ProviderFactory.create(
        clinic=provider.clinic, name="Dr. Zoe Young", working=True, languages=["es"]
    )
    assert {name for _d, _t, name in times(client, provider=provider.pk)} == {provider.name}
    assert {name for _d, _t, name in times(client, specialty=other.specialty_id)} == {other.name}
    assert {name for _d, _t, name in times(client, language="es")} == {other.name}
    assert times(client, part="afternoon")[0][1] == "12:00\xa0pm"
    assert times(client, part="evening") == []
    assert times(client, video="on") == []
    friday = (monday + timedelta(days=4)).strftime("%A")
    assert times(client, not_on=[0, 1, 2, 3])[0][0].startswith(friday)


def test_a_visit_type_is_chosen_where_none_is_asked_for(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    VisitTypeFactory.create(code="A_FIRST", label="A first")
    answer = client.get(reverse("desk:next_available"))
    assert answer.context["visit_type"] == visit_type
    assert answer.context["days"]


def test_without_any_visit_type_the_page_stands(client: Client) -> None:
    assert client.get(reverse("desk:next_available")).status_code == 200


@pytest.mark.usefixtures("visit_type")
def test_another_clinics_providers_are_not_offered(client: Client, user: User) -> None:
    stranger = ProviderFactory.create(working=True)
    assert times(client) == []
    address = reverse("desk:next_available")
    assert client.get(address, asked(provider=stranger.pk)).status_code == 422
    MembershipFactory.create(user=user, clinic=stranger.clinic)
    client.force_login(user)  # another role has ended the sign-in
    assert {name for _d, _t, name in times(client)} == {stranger.name}
    assert client.get(address, asked(clinic=stranger.clinic.pk)).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": "tomorrow"}, {"day": "9999-12-31"}, {"day": "2026-02-30"}, {"type": "NONE"},
        {"type": "\0"}, {"provider": "1"}, {"provider": "9" * 500}, {"after": "later"},
        {"after": "2026-06-08T12:00:00+00:00"}, {"after": f"99991231T2359Z_{'0' * 32}"},
        {"after": "20260608T1200Z_"}, {"after": f"20260608T1200Z_{'0' * 99}"},
        {"after": f"20260608T1200Z_{'-' * 9_000}{'0' * 32}"}, {"after": "\0"},
        {"not_on": "9"}, {"not_on": list(range(7))},
        {"part": "night"}, {"language": "x" * 2000}, {"patient": "me"},
    ],
)  # fmt: skip
@pytest.mark.usefixtures("provider", "visit_type")
def test_a_question_that_cannot_be_is_a_422(client: Client, wrong: dict[str, Any]) -> None:
    answer = client.get(reverse("desk:next_available"), asked(**wrong))
    assert answer.status_code == 422


def test_times_that_leave_no_gap_too_short_to_book_are_marked_as_best_fits(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    assert "Best fit" not in shown(client.get(reverse("desk:next_available"), asked()))
    long = VisitTypeFactory.create(code="LONG", minutes=45)
    start = at(next_monday(), "09:15")
    AppointmentFactory.create(provider=provider, visit_type=long, start=start)
    page = client.get(reverse("desk:next_available"), asked(type="LONG"))
    rows = page.context["days"][0]["rows"]
    assert [row["time"] for row in rows if row["is_best"]] == ["8:30\xa0am"]
    text = shown(page)
    assert "Best fit leaves the least time in gaps too short to book." in text
    assert f"8:30 am {provider.name} Best fit" in text
    assert text.count("Best fit") == 2
    address = reverse("portal:times", args=[provider.clinic.slug])
    choice = {"who": "me", "first": "no", "type": "LONG", "day": str(next_monday())}
    patients = shown(Client().get(address, choice))
    assert "8:30 am" in patients
    assert "Best fit" not in patients


def test_the_others_offered_where_a_time_was_taken_are_marked_too(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    long = VisitTypeFactory.create(code="LONG", minutes=45)
    start = at(next_monday(), "09:15")
    AppointmentFactory.create(provider=provider, visit_type=long, start=start)
    answer = client.post(reverse("desk:hold_place"), kept(provider, long))
    rows = [row for day in answer.context["days"] for row in day["rows"]]
    assert [row["time"] for row in rows if row["is_best"]] == ["8:30\xa0am"]
    assert answer.status_code == 409
    assert "8:30 am" in shown(answer)


@pytest.mark.usefixtures("visit_type")
def test_the_queries_do_not_grow_with_the_providers(client: Client, provider: Provider) -> None:
    client.get(reverse("desk:shortcuts"))  # the menu counts what waits, every 20 seconds
    few = queries(client)
    ProviderFactory.create_batch(9, clinic=provider.clinic, working=True)
    assert queries(client) == few <= 18


def queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert times(client)
    return len(captured)


def test_a_time_is_kept_for_the_caller_from_everybody_else(
    client: Client, peer: Client, user: User, provider: Provider, visit_type: VisitType
) -> None:
    hold = keep(client, provider, visit_type)
    assert (hold.holder, hold.purpose) == (str(user.pk), SlotHold.Purpose.PHONE)
    assert [row[1] for row in times(peer)[:3]] == ["8:00\xa0am", "8:30\xa0am", "9:30\xa0am"]
    answer = peer.post(reverse("desk:hold_place"), kept(provider, visit_type))
    assert answer.status_code == 409
    rows = [row for day in answer.context["days"] for row in day["rows"]]
    assert [row["time"] for row in rows] == ["8:00\xa0am", "8:30\xa0am", "9:30\xa0am"]
    assert peer.get(reverse("desk:hold", args=[hold.pk])).status_code == 404


def test_a_time_that_is_booked_cannot_be_kept(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    AppointmentFactory.create(provider=provider, start=at(next_monday(), "09:00"))
    answer = client.post(reverse("desk:hold_place"), kept(provider, visit_type))
    assert answer.status_code == 409
    assert "no longer available" in answer.content.decode()
    assert not SlotHold.objects.exists()


def test_a_kept_time_is_prolonged_and_given_back(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    hold = keep(client, provider, visit_type)
    page = client.get(reverse("desk:hold", args=[hold.pk])).content.decode()
    assert "I need more time" in page
    assert f"hold={hold.pk}" in page
    client.post(reverse("desk:hold_extend", args=[hold.pk]))
    longer = SlotHold.objects.get()
    assert longer.expires_at == hold.expires_at + timedelta(minutes=2)
    answer = client.post(reverse("desk:hold_release", args=[hold.pk]))
    assert answer["Location"] == reverse("desk:next_available")
    assert not SlotHold.objects.exists()


def test_a_look_prolongs_nothing(client: Client, provider: Provider, visit_type: VisitType) -> None:
    hold = keep(client, provider, visit_type)
    client.get(reverse("desk:hold", args=[hold.pk]))
    for name in ("hold_extend", "hold_release"):
        assert client.get(reverse(f"desk:{name}", args=[hold.pk])).status_code == 405
    assert SlotHold.objects.get().expires_at == hold.expires_at


def test_after_ten_times_it_is_prolonged_no_more(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    hold = keep(client, provider, visit_type)
    for _time in range(11):
        client.post(reverse("desk:hold_extend", args=[hold.pk]))
    assert SlotHold.objects.get().extensions == 10
    page = client.get(reverse("desk:hold", args=[hold.pk])).content.decode()
    assert "I need more time" not in page


def test_a_hold_that_ended_can_be_asked_for_again(
    client: Client, user: User, provider: Provider, visit_type: VisitType
) -> None:
    hold = hold_of(
        provider,
        visit_type,
        at(next_monday(), "09:00"),
        holder=str(user.pk),
        purpose=SlotHold.Purpose.PHONE,
        by=Actor.staff(user.pk),
        now=timezone.now() - timedelta(minutes=10),
    )
    answer = client.get(reverse("desk:hold", args=[hold.pk]))
    assert answer.status_code == 409
    assert "Keep it again" in answer.content.decode()
    assert client.post(reverse("desk:hold_extend", args=[hold.pk])).status_code == 409
    again = keep(client, provider, visit_type)
    assert again.pk != hold.pk


def test_a_time_is_kept_for_a_patient_who_is_known(
    client: Client, clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    patient = PatientFactory.create(clinic=clinic)
    context = client.get(reverse("desk:next_available"), asked(patient=patient.pk)).context
    row = context["days"][0]["rows"][0]
    assert row["kept"]["patient"] == patient.pk
    hold = keep(client, provider, visit_type, patient=str(patient.pk))
    assert hold.patient == patient
    page = client.get(reverse("desk:hold", args=[hold.pk])).content.decode()
    assert patient.full_name in page


def test_a_strangers_patient_is_unknown(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    stranger: Patient = PatientFactory.create(clinic=ClinicFactory.create())
    address = reverse("desk:next_available")
    assert client.get(address, asked(patient=stranger.pk)).status_code == 404
    sent = {**kept(provider, visit_type), "patient": str(stranger.pk)}
    assert client.post(reverse("desk:hold_place"), sent).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"start": "soon"}, {"start": ""}, {"provider": "x"}, {"clinic": "x"}, {"type": "\0"}],
)
def test_a_time_that_was_never_offered_is_unknown(
    client: Client, provider: Provider, visit_type: VisitType, wrong: dict[str, str]
) -> None:
    sent = {**kept(provider, visit_type), **wrong}
    assert client.post(reverse("desk:hold_place"), sent).status_code == 404


@pytest.mark.parametrize("clock", ["03:00", "23:45"])
def test_a_time_outside_hours_is_refused_with_others(
    client: Client, provider: Provider, visit_type: VisitType, clock: str
) -> None:
    answer = client.post(reverse("desk:hold_place"), kept(provider, visit_type, clock))
    assert answer.status_code == 409
    assert answer.context["days"]


def test_a_time_that_has_passed_is_refused(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    past = at(date(2020, 1, 6), "09:00").isoformat()
    sent = {**kept(provider, visit_type), "start": past}
    assert client.post(reverse("desk:hold_place"), sent).status_code == 409


def test_the_banner_is_prolonged_where_it_stands(
    client: Client, clinic: Clinic, provider: Provider, visit_type: VisitType
) -> None:
    hold = keep(client, provider, visit_type)
    patient = PatientFactory.create(clinic=clinic, name="Ana Torres")
    address = reverse("desk:hold_extend", args=[hold.pk])
    sent = {"patient": str(patient.pk)}
    fragment = client.post(address, sent, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "Book it for Ana" in fragment
    assert client.post(address, {"patient": "x"}, headers={"HX-Request": "true"}).status_code == 200
    release = reverse("desk:hold_release", args=[hold.pk])
    gone = client.post(release, headers={"HX-Request": "true"})
    assert "free again" in gone.content.decode()
    assert not SlotHold.objects.exists()


def test_a_banner_whose_time_is_over_says_so(
    client: Client, provider: Provider, visit_type: VisitType
) -> None:
    hold = keep(client, provider, visit_type)
    SlotHold.objects.update(expires_at=timezone.now())
    address = reverse("desk:hold_extend", args=[hold.pk])
    answer = client.post(address, headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "no longer kept" in answer.content.decode()
    assert reverse("desk:hold", args=[hold.pk]) in answer.content.decode()
