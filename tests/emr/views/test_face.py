"""Our FHIR face tells anybody which times can be booked, and nobody who has the others."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.utils import timezone

from emr.fhir.face.offers import BOOKING_LINK, slot_id
from emr.fhir.instants import utc
from emr.views.face_answers import ASKED
from patients.models import Patient
from patients.visitors import network_of
from providers.models import Clinic, Provider, ProviderSchedule, TimeOff, VisitType
from scheduling.models import Appointment
from tests.emr.fhir.judging import complaints
from tests.emr.views.face_asking import SITE, Json, Visitor, link, offer_of, resources
from tests.factories import AppointmentFactory, ProviderFactory, VisitTypeFactory, at, next_monday
from tests.factories.providers import ProviderScheduleFactory

pytestmark = pytest.mark.usefixtures("provider", "visit_type")


@pytest.fixture
def visitor() -> Visitor:
    return Visitor()


@pytest.fixture
def monday(provider: Provider, visit_type: VisitType) -> Json:
    """Next Monday's slots of the provider, as parameters."""
    return {
        "schedule": f"Schedule/{offer_of(provider, visit_type).id}",
        "start": [f"ge{utc(at(next_monday(), '00:00'))}", f"lt{utc(at(next_monday(), '23:00'))}"],
    }


@pytest.fixture
def visit(provider: Provider, visit_type: VisitType, patient: Patient) -> Appointment:
    return AppointmentFactory.create(
        provider=provider,
        visit_type=visit_type,
        patient=patient,
        start=at(next_monday(), "10:00"),
    )


def _spans(slots: list[Json], status: str) -> list[tuple[str, str]]:
    return [(one["start"], one["end"]) for one in slots if one["status"] == status]


def test_it_says_what_it_can(visitor: Visitor) -> None:
    said = visitor.read("metadata")
    assert (said["fhirVersion"], said["kind"]) == ("4.0.1", "instance")
    assert said["implementation"]["url"] == f"{SITE}/fhir"
    searched = {one["type"]: one.get("searchParam", []) for one in said["rest"][0]["resource"]}
    assert {param["name"] for param in searched["Slot"]} == {"schedule", "start", "status"}
    assert visitor.read("/fhir/") == said


def test_a_schedule_names_who_where_and_what(
    visitor: Visitor, provider: Provider, visit_type: VisitType, clinic: Clinic
) -> None:
    (said,) = visitor.all("Schedule")
    assert [one["reference"] for one in said["actor"]] == [
        f"Practitioner/{provider.pk}",
        f"Location/{clinic.pk}",
    ]
    assert said["serviceType"][0]["coding"][0]["code"] == visit_type.code
    assert visitor.read(f"Schedule/{said['id']}") == said


def test_what_a_schedule_points_at_can_be_read(
    visitor: Visitor, provider: Provider, clinic: Clinic, visit_type: VisitType
) -> None:
    who = visitor.read(f"Practitioner/{provider.pk}")
    assert who["identifier"][0]["value"] == provider.npi_number
    where = visitor.read(f"Location/{clinic.pk}")
    assert where["name"] == clinic.name
    assert visitor.all("Location") == [where]
    role = visitor.read(f"PractitionerRole/{offer_of(provider, visit_type).role_id}")
    assert [time["daysOfWeek"] for time in role["availableTime"]] == [
        ["mon"],
        ["tue"],
        ["wed"],
        ["thu"],
        ["fri"],
    ]


def test_schedules_are_found_by_who_where_and_what(
    visitor: Visitor, provider: Provider, clinic: Clinic
) -> None:
    kind = VisitTypeFactory.create(code="URGENT_CARE")
    other = ProviderFactory.create(clinic=clinic, working=True)
    assert len(visitor.all("Schedule")) == 4
    assert len(visitor.all("Schedule", {"actor": f"Practitioner/{provider.pk}"})) == 2
    assert len(visitor.all("Schedule", {"actor": str(other.pk), "service-type": kind.code})) == 1
    assert len(visitor.all("Schedule", {"actor": f"{SITE}/fhir/Location/{clinic.pk}"})) == 4
    assert visitor.all("Schedule", {"service-type": f"urn:other|{kind.code}"}) == []
    assert visitor.all("Schedule", {"actor": f"Practitioner/{uuid4()}"}) == []


def test_lists_are_told_page_by_page(visitor: Visitor, clinic: Clinic) -> None:
    for _n in range(4):
        ProviderFactory.create(clinic=clinic, working=True)
    first = visitor.read("Schedule", {"_count": 2})
    assert len(resources(first)) == 2
    assert link(first, "next").startswith(f"{SITE}/fhir/Schedule?")
    assert len({one["id"] for one in visitor.all("Schedule", {"_count": 2})}) == 5


def test_a_day_without_visits_is_free(visitor: Visitor, monday: Json) -> None:
    slots = visitor.all("Slot", monday)
    assert {one["status"] for one in slots} == {"free"}
    assert len(slots) == 18
    assert slots[0]["start"] == utc(at(next_monday(), "08:00"))
    assert slots[-1]["end"] == utc(at(next_monday(), "17:00"))


def test_a_booked_time_is_busy_and_names_nobody(
    visitor: Visitor, monday: Json, visit: Appointment
) -> None:
    response = visitor.get("Slot", monday)
    slots = visitor.all("Slot", monday)
    ten, half_past = utc(at(next_monday(), "10:00")), utc(at(next_monday(), "10:30"))
    assert _spans(slots, "busy") == [(ten, half_past)]
    assert len(_spans(slots, "free")) == 17
    told = response.content.decode()
    for secret in (visit.pk, visit.reference, visit.patient_id, visit.patient.family_name):
        assert str(secret) not in told


def test_time_off_is_busy_and_says_no_reason(
    visitor: Visitor, monday: Json, provider: Provider
) -> None:
    TimeOff.objects.create(
        provider=provider,
        start_datetime=at(next_monday(), "12:00"),
        end_datetime=at(next_monday(), "17:00"),
        reason=TimeOff.Reason.SICK,
    )
    slots = visitor.all("Slot", monday)
    noon, five = utc(at(next_monday(), "12:00")), utc(at(next_monday(), "17:00"))
    assert _spans(slots, "busy") == [(noon, five)]
    assert "sick" not in visitor.get("Slot", monday).content.decode().lower()


def test_free_and_busy_are_all_of_the_hours_and_never_the_same_time(
    visitor: Visitor, monday: Json, visit: Appointment
) -> None:
    spans = sorted((one["start"], one["end"]) for one in visitor.all("Slot", monday))
    assert (spans[0][0], spans[-1][1]) == (
        utc(at(next_monday(), "08:00")),
        utc(at(next_monday(), "17:00")),
    )
    assert all(end == start for (_s, end), (start, _e) in pairwise(spans))


def test_slots_are_told_by_status(visitor: Visitor, monday: Json, visit: Appointment) -> None:
    assert len(visitor.all("Slot", monday | {"status": "free"})) == 17
    assert len(visitor.all("Slot", monday | {"status": "busy"})) == 1
    assert len(visitor.all("Slot", monday | {"status": "free,busy"})) == 18
    assert visitor.all("Slot", monday | {"status": "busy-tentative"}) == []


def test_pages_of_slots_show_each_once(visitor: Visitor, monday: Json, visit: Appointment) -> None:
    whole = visitor.all("Slot", monday)
    assert visitor.all("Slot", monday | {"_count": 5}) == whole
    assert len({one["id"] for one in whole}) == 18


def test_several_schedules_are_asked_at_once(
    visitor: Visitor, monday: Json, provider: Provider, visit_type: VisitType
) -> None:
    kind = VisitTypeFactory.create(minutes=60)
    both = f"{offer_of(provider, visit_type).id},{offer_of(provider, kind).id}"
    slots = visitor.all("Slot", monday | {"schedule": both, "_count": 7})
    assert len(slots) == 18 + 17
    assert [one["start"] for one in slots] == sorted(one["start"] for one in slots)


def test_a_free_slot_leads_to_the_page_where_it_is_booked(
    visitor: Visitor, monday: Json, provider: Provider
) -> None:
    (extension,) = visitor.all("Slot", monday)[0]["extension"]
    assert extension["url"] == BOOKING_LINK
    page = visitor.client.get(extension["valueUrl"].removeprefix(SITE), follow=True)
    assert page.status_code == 200
    assert "riverside" in extension["valueUrl"]


def test_a_slot_is_read_by_its_id_until_it_is_gone(
    visitor: Visitor, monday: Json, provider: Provider, visit_type: VisitType
) -> None:
    said = visitor.all("Slot", monday)[4]
    assert said["start"] == utc(at(next_monday(), "10:00"))
    assert visitor.read(f"Slot/{said['id']}") == said
    AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=at(next_monday(), "10:00")
    )
    assert visitor.read(f"Slot/{said['id']}")["status"] == "busy"
    midnight = slot_id(offer_of(provider, visit_type).id, at(next_monday(), "00:00"))
    visitor.read(f"Slot/{midnight}", status=404)
    visitor.read(f"Slot/{midnight.partition('-')[0]}-99991231T2359Z", status=404)


def test_without_moments_the_next_two_weeks_are_told(
    visitor: Visitor, provider: Provider, visit_type: VisitType
) -> None:
    slots = visitor.all("Slot", {"schedule": str(offer_of(provider, visit_type).id)})
    assert slots[0]["start"] >= utc(timezone.now() - timedelta(minutes=1))
    assert slots[-1]["start"] < utc(timezone.now() + timedelta(days=14, minutes=1))


def test_what_is_over_is_not_told(
    visitor: Visitor, provider: Provider, visit_type: VisitType
) -> None:
    slots = visitor.all(
        "Slot",
        {"schedule": str(offer_of(provider, visit_type).id), "start": "ge2020-01-01"},
    )
    assert all(one["end"] > utc(timezone.now() - timedelta(minutes=1)) for one in slots)


@pytest.mark.parametrize(
    "change",
    [
        {"bookable_online": False},
        {"is_telehealth": True},  # with a provider who offers none
    ],
)
def test_what_is_not_booked_online_is_not_on_offer(
    visitor: Visitor, visit_type: VisitType, change: dict[str, bool]
) -> None:
    VisitType.objects.filter(pk=visit_type.pk).update(**change)
    assert visitor.all("Schedule") == []
    assert visitor.all("Location") == []


def test_a_first_visit_is_on_offer_only_where_new_patients_are_taken(
    visitor: Visitor, provider: Provider, visit_type: VisitType
) -> None:
    VisitTypeFactory.create(code="NEW_PATIENT")
    assert len(visitor.all("Schedule")) == 2
    Provider.objects.filter(pk=provider.pk).update(accepts_new_patients=False)
    assert len(visitor.all("Schedule")) == 1


@pytest.mark.parametrize("model", [Clinic, Provider, ProviderSchedule])
def test_who_is_not_active_is_not_on_offer(visitor: Visitor, model: Any) -> None:
    model.objects.update(is_active=False)
    assert visitor.all("Schedule") == []


def test_hours_of_some_visits_are_on_offer_for_those_alone(
    visitor: Visitor, clinic: Clinic, visit_type: VisitType
) -> None:
    VisitTypeFactory.create(code="OTHER")
    someone = ProviderFactory.create(clinic=clinic)
    ProviderScheduleFactory.create(provider=someone, visit_types=[visit_type])
    (said,) = visitor.all("Schedule", {"actor": str(someone.pk)})
    assert said["serviceType"][0]["coding"][0]["code"] == visit_type.code


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"schedule": ""}, "required"),
        ({"schedule": "Schedule/x"}, "value"),
        ({"schedule": ",".join(str(uuid4()) for _ in range(21))}, "too-costly"),
        ({"status": "maybe"}, "code-invalid"),
        ({"start": "soon"}, "value"),
        ({"start": "ge2026-13-40"}, "value"),
        ({"start": "ge2026-05-04T10:00:00"}, "value"),
        ({"start": "eq2026-05-04"}, "value"),
        ({"start": ["ge9999-01-01"]}, "value"),
        ({"start": ["lt2199-01-01"]}, "too-costly"),
        ({"_count": "many"}, "value"),
        ({"_count": "²"}, "value"),
        ({"_after": "x"}, "value"),
    ],
)
def test_a_search_that_is_not_understood_is_refused(
    visitor: Visitor, monday: Json, params: Json, code: str
) -> None:
    said = visitor.read("Slot", monday | params, status=400)
    assert said["issue"][0]["code"] == code


NONSENSE = [
    "",
    "9" * 40,
    "-1",
    "a\0b",
    "0000-01-01",
    "9999-12-31",
    "ge0001-01-01",
    "lt9999-12-31",
    "🩺 <script>",
    "x" * 5_000,
    "urn:uuid:",
    "|",
    ",",
]
ASKED_FOR = ["schedule", "start", "status", "_count", "_after", "actor", "_id", "service-type"]


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_answered_and_not_stumbled_over(
    visitor: Visitor, monday: Json, nonsense: str
) -> None:
    for kind in ("Slot", "Schedule", "Location"):
        for name in ASKED_FOR:
            assert visitor.get(kind, monday | {name: nonsense}).status_code in {200, 400}
        assert visitor.get(f"{kind}/{quote(nonsense)}").status_code in {200, 400, 404}
    assert visitor.get("metadata", {"_format": nonsense}).status_code in {200, 406}


def test_sixty_days_are_the_most(visitor: Visitor, monday: Json) -> None:
    first = next_monday()
    within = [f"ge{first}", f"lt{first + timedelta(days=60)}"]
    beyond = [f"ge{first}", f"le{first + timedelta(days=60)}"]
    assert visitor.get("Slot", monday | {"start": within}).status_code == 200
    visitor.read("Slot", monday | {"start": beyond}, status=400)


def test_an_empty_range_has_no_slots(visitor: Visitor, monday: Json) -> None:
    day = next_monday()
    assert visitor.all("Slot", monday | {"start": [f"ge{day}", f"lt{day}"]}) == []
    assert visitor.all("Slot", monday | {"start": "lt2020-01-01"}) == []


@pytest.mark.parametrize(
    "address",
    [
        "Patient",
        "Appointment/1",
        "Patient/0197b9a2-5c1e-7d30-8a44-3f6f0f5f2b10",
        "Schedule/0197b9a2-5c1e-7d30-8a44-3f6f0f5f2b10",
        "Schedule/nonsense",
        "Slot/nonsense",
        "Location/../x",
        "Schedule/a/b/c",
        "files/slots-0197b9a2-5c1e-7d30-8a44-3f6f0f5f2b10.ndjson",
    ],
)
def test_what_is_not_there_is_said_in_fhir(visitor: Visitor, address: str) -> None:
    said = visitor.read(f"/fhir/{address}", status=404)
    assert said["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/fhir+json", 200),
        ("application/json;q=0.9, text/html", 200),
        ("text/html,*/*;q=0.8", 200),
        ("", 200),
        ("application/fhir+xml", 406),
        ("text/html", 406),
    ],
)
def test_only_json_is_spoken(visitor: Visitor, accept: str, status: int) -> None:
    response = visitor.get("metadata", accept=accept)
    assert response.status_code == status
    assert response["Content-Type"] == "application/fhir+json"


def test_a_format_in_the_address_wins(visitor: Visitor) -> None:
    assert visitor.get("metadata", {"_format": "json"}, accept="text/html").status_code == 200
    assert visitor.get("metadata", {"_format": "xml"}, accept="*/*").status_code == 406


def test_an_answer_may_be_kept_for_a_while_and_asked_for_again(
    visitor: Visitor, monday: Json
) -> None:
    first = visitor.get("Slot", monday)
    assert first["Cache-Control"] == "public, max-age=60"
    again = visitor.get("Slot", monday, if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert "sessionid" not in first.cookies


def test_a_change_gives_another_tag(
    visitor: Visitor, monday: Json, provider: Provider, visit_type: VisitType
) -> None:
    first = visitor.get("Slot", monday)
    AppointmentFactory.create(
        provider=provider, visit_type=visit_type, start=at(next_monday(), "11:00")
    )
    again = visitor.get("Slot", monday, if_none_match=first["ETag"])
    assert again.status_code == 200


def test_who_asks_too_often_is_told_when_to_come_back(visitor: Visitor) -> None:
    for _n in range(ASKED.times):
        ASKED.spend(network_of(RequestFactory().get("/")))
    response = visitor.get("metadata")
    assert response.status_code == 429
    assert response["Retry-After"] == str(ASKED.seconds)
    assert json.loads(response.content)["issue"][0]["code"] == "throttled"


class TestFiles:
    def test_the_list_names_every_file(self, visitor: Visitor, clinic: Clinic) -> None:
        response = visitor.get("$bulk-publish")
        assert response["Content-Type"] == "application/json"
        said = json.loads(response.content)
        assert said["request"] == f"{SITE}/fhir/$bulk-publish"
        assert [one["type"] for one in said["output"]] == ["Location", "Schedule", "Slot"]
        assert said["error"] == []
        assert said["transactionTime"].endswith(":00Z")
        for one in said["output"]:
            assert {line["resourceType"] for line in visitor.lines(one["url"])} == {one["type"]}

    def test_every_line_is_valid_and_points_at_another(
        self, visitor: Visitor, provider: Provider, clinic: Clinic, visit: Appointment
    ) -> None:
        places = visitor.lines("files/locations.ndjson")
        schedules = visitor.lines("files/schedules.ndjson")
        slots = visitor.lines(f"files/slots-{clinic.pk}.ndjson")
        assert len(slots) > 100
        for line in (*places, *schedules, *slots):
            assert complaints(line) == []
        known = {f"Schedule/{one['id']}" for one in schedules}
        assert {one["schedule"]["reference"] for one in slots} == known
        assert {one["status"] for one in slots} == {"free", "busy"}
        held = {one["reference"] for schedule in schedules for one in schedule["actor"]}
        assert {f"Location/{one['id']}" for one in places} <= held

    def test_a_file_has_what_the_search_has(
        self, visitor: Visitor, monday: Json, clinic: Clinic, visit: Appointment
    ) -> None:
        day = monday["start"][0][2:], monday["start"][1][2:]
        lines = visitor.lines(f"files/slots-{clinic.pk}.ndjson")
        same = [one for one in lines if day[0] <= one["start"] < day[1]]
        assert sorted(same, key=lambda one: str(one["start"])) == visitor.all("Slot", monday)

    def test_slots_are_put_together_once_in_a_minute(
        self,
        visitor: Visitor,
        clinic: Clinic,
        django_assert_max_num_queries: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monday = at(next_monday(), "07:10")
        monkeypatch.setattr(timezone, "now", lambda: monday)
        first = visitor.get(f"files/slots-{clinic.pk}.ndjson")
        with django_assert_max_num_queries(6):
            again = visitor.get(f"files/slots-{clinic.pk}.ndjson")
        assert again.content == first.content

    def test_a_clinic_that_is_closed_has_none(self, visitor: Visitor, clinic: Clinic) -> None:
        Clinic.objects.filter(pk=clinic.pk).update(is_active=False)
        assert visitor.get(f"files/slots-{clinic.pk}.ndjson").status_code == 404
        assert json.loads(visitor.get("$bulk-publish").content)["output"][2:] == []
