"""Everything else that leaves is valid R4 too, and says what it should."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from emr.fhir.checking import Invalid
from emr.fhir.coverage import coverage
from emr.fhir.document import note as written
from emr.fhir.location import location
from emr.fhir.patient_out import match_parameters
from emr.fhir.patient_out import person as patient
from emr.fhir.practitioner_out import Hours, practitioner, practitioner_role
from emr.fhir.schedule import schedule
from emr.fhir.slot import read_slot, slot
from emr.fhir.subscription import subscription
from emr.fhir.task import task
from emr.visits import Party
from tests.emr.fhir.judging import complaints
from tests.emr.fhir.made import MESSAGE_ID, START, note, person, visit

Json = dict[str, Any]
END = START + timedelta(minutes=20)
WEEK = [Hours((0, 1, 2), time(8), time(12)), Hours((5,), time(13), time(0))]

MADE: dict[str, Callable[[], Json]] = {
    "patient": lambda: patient(person()),
    "patient of whom little is known": lambda: patient(
        person(
            dob=None,
            given="",
            phone="",
            email="",
            address={},
            language="",
            member_id="",
            identifiers=(),
            sex="unknown",
        )
    ),
    "match": lambda: match_parameters(person()),
    "certain match": lambda: match_parameters(person(), only_certain=True),
    "practitioner": lambda: practitioner(name="Dr. Okafor", npi="1234567893", languages=["es"]),
    "practitioner by name": lambda: practitioner(name="Dr. Okafor", practitioner_id="p-1"),
    "role": lambda: practitioner_role(
        practitioner_id="p", location_id="l", specialty=("207Q00000X", "Family"), hours=WEEK
    ),
    "role alone": lambda: practitioner_role(practitioner_id="p"),
    "place": lambda: location(name="Riverside", address="12 River St\nSalem, NY 10599", phone="1"),
    "place by name": lambda: location(name="Riverside"),
    "place abroad": lambda: location(name="Ufer", address="Uferweg 3\n8001 Zürich"),
    "schedule": lambda: schedule(actors=[{"reference": "Location/1"}], horizon=(START, END)),
    "free slot": lambda: slot(schedule="s", start=START, end=END),
    "busy slot": lambda: slot(schedule="s", start=START, end=END, status="busy", slot_id="1"),
    "coverage": lambda: coverage(person(), patient_id="p", payer="Harbor Health"),
    "note": lambda: written(note()),
    "task": lambda: task(note()),
    "task of nobody": lambda: task(note(author=Party())),
    "subscription": lambda: subscription("https://a.example/hooks", "Appointment?", "s3cret"),
    "subscription that ends": lambda: subscription("https://a.example/h", "Patient?", "", end=END),
}


@pytest.mark.parametrize("made", MADE)
def test_it_is_valid(made: str) -> None:
    assert complaints(MADE[made]()) == []


def test_a_patient_is_told_with_numbers_by_kind() -> None:
    made = patient(person())
    kinds = {one["type"]["coding"][0]["code"]: one["value"] for one in made["identifier"]}
    assert kinds == {"MR": "MRN-1", "MB": "HH-4471"}
    assert made["name"] == [{"use": "official", "family": "Torres", "given": ["Ana", "María"]}]
    assert (made["birthDate"], made["gender"]) == ("1984-02-29", "female")


def test_a_match_asks_for_everybody_who_may_be_meant() -> None:
    asked = {one["name"]: one for one in match_parameters(person())["parameter"]}
    assert asked["resource"]["resource"] == patient(person())
    assert asked["onlyCertainMatches"]["valueBoolean"] is False


def test_a_note_is_one_preliminary_draft_that_is_found_again() -> None:
    made = written(note())
    assert (made["status"], made["docStatus"]) == ("current", "preliminary")
    assert made["type"]["coding"][0]["code"] == "11506-3"
    assert made["masterIdentifier"]["value"] == f"urn:uuid:{MESSAGE_ID}"
    assert made["context"]["related"] == [{"reference": "Appointment/app-1"}]
    attached = made["content"][0]["attachment"]
    assert attached["contentType"] == "text/plain; charset=utf-8"
    assert base64.b64decode(attached["data"]).decode() == note().text


def test_a_task_holds_no_word_of_the_note() -> None:
    assert "cough" not in str(task(note()))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: written(note(author=Party(npi="1234567893"))), "no-author"),
        (lambda: written(note(visit=visit(patient=Party()))), "no-patient"),
        (lambda: task(note(visit=visit(patient=Party()))), "no-patient"),
        (lambda: coverage(person(member_id=""), patient_id="p", payer="x"), "no-member-id"),
        (lambda: coverage(person(), patient_id="", payer="x"), "no-patient"),
        (lambda: slot(schedule="s", start=END, end=START), "order:Slot"),
        (lambda: slot(schedule="a b", start=START, end=END), "reference:Slot.schedule"),
        (lambda: slot(schedule="s", start=START, end=END, status="taken"), "code:Slot.status"),
        (lambda: practitioner_role(practitioner_id=""), None),
    ],
)
def test_what_could_not_be_filed_is_not_made(make: Callable[[], Json], code: str | None) -> None:
    if code is None:
        assert "practitioner" not in make()
        return
    with pytest.raises(Invalid) as refusal:
        make()
    assert code in refusal.value.codes


def test_the_end_of_a_day_is_its_last_second_and_a_whole_day_is_said_as_one() -> None:
    hours = [Hours((6,), time(18), time(0)), Hours((5,), time(0), time(0))]
    made = practitioner_role(practitioner_id="p", hours=hours)["availableTime"]
    assert made[0]["availableEndTime"] == "23:59:59"
    assert made[1] == {"daysOfWeek": ["sat"], "allDay": True}


def test_an_address_is_taken_apart_where_it_is_written_as_usual() -> None:
    at = location(name="R", address="12 River St\nFloor 2\nSalem, NY 10599-1234")["address"]
    assert at["line"] == ["12 River St", "Floor 2"]
    assert (at["city"], at["state"], at["postalCode"]) == ("Salem", "NY", "10599-1234")
    abroad = location(name="U", address="Uferweg 3\n8001 Zürich")["address"]
    assert abroad == {
        "use": "work",
        "text": "Uferweg 3, 8001 Zürich",
        "line": ["Uferweg 3", "8001 Zürich"],
    }


def test_a_subscription_carries_its_secret_for_both_ways_of_proving_it() -> None:
    made = subscription("https://a.example/hooks", "Appointment?", "s3cret")
    assert made["channel"]["header"] == ["Authorization: Bearer s3cret"]
    assert made["extension"][0]["valueString"] == "s3cret"
    assert (made["status"], made["channel"]["type"]) == ("requested", "rest-hook")


def test_a_slot_is_read_as_it_was_written() -> None:
    read = read_slot(slot(schedule="s-1", start=START, end=END, slot_id="9"))
    assert (read.remote_id, read.schedule_id, read.status) == ("9", "s-1", "free")
    assert (read.start, read.end) == (START, END)
    assert read.start.tzinfo is UTC


def test_moments_need_a_zone() -> None:
    naive = datetime(2026, 5, 4, 9, 0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        slot(schedule="s", start=naive, end=naive + timedelta(minutes=5))
