"""Every visit leaves as a valid Appointment, and says what it should and no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from emr.fhir.appointment import (
    CONFIRMED_TAG,
    appointment,
    own_id,
    own_value,
    read_appointment,
)
from emr.fhir.checking import Invalid
from emr.fhir.codes import codings
from emr.fhir.statuses import UnknownStatus, from_fhir, to_fhir
from emr.fhir.systems import APPOINTMENT_TYPES, OWN_VISIT_TYPES, SNOMED
from emr.visits import Party
from scheduling.models import CancelReason
from scheduling.transitions import Status
from tests.emr.fhir.judging import complaints
from tests.emr.fhir.made import CODE, KINDS, VISIT_ID, visit

EXTRAS: list[dict[str, Any]] = [
    {},
    {"has_arrived": True},
    {"reason": "Cough for a week", "slot_id": "slot-1", "code": CODE},
    {"provider": Party(npi="1234567893", name="Dr. Okafor"), "place": Party()},
    {"provider": Party(), "reason": "x" * 900},
]


@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize(("code", "status"), product(KINDS, Status))
def test_every_type_in_every_status_is_a_valid_appointment(
    code: str, status: Status, extra: dict[str, Any]
) -> None:
    assert complaints(appointment(visit(code, status, **extra))) == []


@pytest.mark.parametrize("reason", [*CancelReason.values, "", "SOMETHING_NEW"])
def test_every_reason_to_cancel_is_valid_and_kept_as_ours(reason: str) -> None:
    made = appointment(visit(status=Status.CANCELLED, cancel_code=reason))
    assert complaints(made) == []
    said = [coding.code for coding in codings(made["cancelationReason"])]
    assert said[1:] == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("status", "has_arrived", "word"),
    [
        (Status.SCHEDULED, False, "booked"),
        (Status.CONFIRMED, False, "booked"),
        (Status.SCHEDULED, True, "arrived"),
        (Status.CONFIRMED, True, "arrived"),
        (Status.COMPLETED, True, "fulfilled"),
        (Status.CANCELLED, True, "cancelled"),
        (Status.NO_SHOW, False, "noshow"),
    ],
)
def test_a_status_is_said_in_the_standards_words(
    status: Status, has_arrived: bool, word: str
) -> None:
    assert to_fhir(status, has_arrived=has_arrived) == word
    made = appointment(visit(status=status, has_arrived=has_arrived))
    assert made["status"] == word


@pytest.mark.parametrize("status", Status)
def test_only_a_confirmed_visit_bears_the_tag_of_it(status: Status) -> None:
    made = appointment(visit(status=status))
    tags = made.get("meta", {}).get("tag", [])
    assert (dict(CONFIRMED_TAG) in tags) is (status is Status.CONFIRMED)
    read = read_appointment(made | {"id": "1"})
    assert read.is_confirmed is (status is Status.CONFIRMED)


@pytest.mark.parametrize("status", Status)
def test_only_a_cancelled_visit_gives_a_reason_for_it(status: Status) -> None:
    made = appointment(visit(status=status, cancel_code="PATIENT_REQUEST", cancel_reason="Asked"))
    assert ("cancelationReason" in made) is (status is Status.CANCELLED)


def test_who_cancelled_is_said_where_the_visit_does_not_know() -> None:
    made = appointment(visit(status=Status.CANCELLED), cancelled_via="PROVIDER_AWAY")
    assert [one.code for one in codings(made["cancelationReason"])] == ["prov", "PROVIDER_AWAY"]


def test_a_follow_up_is_hl7s_own_word_and_ours() -> None:
    said = {(one.system, one.code) for one in codings(appointment(visit())["appointmentType"])}
    assert said == {(APPOINTMENT_TYPES, "FOLLOWUP"), (OWN_VISIT_TYPES, "FOLLOW_UP")}


@pytest.mark.parametrize("code", ["NEW_PATIENT", "URGENT_CARE", "TELEHEALTH"])
def test_other_types_claim_no_word_of_hl7s(code: str) -> None:
    said = {(one.system, one.code) for one in codings(appointment(visit(code))["appointmentType"])}
    assert said == {(OWN_VISIT_TYPES, code)}


def test_a_video_visit_says_so_and_has_no_place() -> None:
    made = appointment(visit("TELEHEALTH"))
    said = [(one.system, one.code) for one in codings(made["serviceType"])]
    assert said == [(SNOMED, "448337001")]
    assert "Location/loc-1" not in _actors(made)
    assert "Location/loc-1" in _actors(appointment(visit()))


def test_the_other_sides_own_code_comes_first_among_the_services() -> None:
    made = appointment(visit("TELEHEALTH", code=CODE))
    assert [one.code for one in codings(made["serviceType"])] == [CODE.code, "448337001"]


def test_a_reason_is_cut_to_what_everybody_takes() -> None:
    made = appointment(visit(reason=" " + "é" * 300))
    assert made["reasonCode"] == [{"text": "é" * 255}]
    assert "comment" not in made
    assert "reasonCode" not in appointment(visit(reason="  "))


def test_a_provider_unknown_there_is_named_by_npi() -> None:
    made = appointment(visit(provider=Party(npi="1234567893", name="Dr. Okafor")))
    actor = made["participant"][1]["actor"]
    assert actor["identifier"]["value"] == "1234567893"
    assert "reference" not in actor


def test_moments_are_in_utc_with_seconds() -> None:
    start = datetime(2026, 5, 4, 9, 20, tzinfo=timezone(-timedelta(hours=4)))
    made = appointment(visit(start=start, end=start + timedelta(minutes=45)))
    assert (made["start"], made["end"]) == ("2026-05-04T13:20:00Z", "2026-05-04T14:05:00Z")
    assert made["minutesDuration"] == 45


def test_one_that_replaces_theirs_bears_its_id_and_version() -> None:
    made = appointment(visit(), remote_id="a-1", version_id="7")
    assert (made["id"], made["meta"]["versionId"]) == ("a-1", "7")
    assert complaints(made) == []


def test_a_patient_unknown_there_has_no_appointment() -> None:
    with pytest.raises(Invalid) as refusal:
        appointment(visit(patient=Party()))
    assert refusal.value.codes == ("no-patient",)


def test_a_visit_that_ends_before_it_starts_is_noticed() -> None:
    ours = visit()
    with pytest.raises(Invalid) as refusal:
        appointment(replace(ours, end=ours.start))
    assert "order:Appointment" in refusal.value.codes


def test_what_is_written_is_read_again_the_same() -> None:
    ours = visit("NEW_PATIENT", reason="Cough", slot_id="s-1", code=CODE)
    read = read_appointment(appointment(ours, remote_id="a-1", version_id="2"))
    assert (read.remote_id, read.version_id, read.status) == ("a-1", "2", "booked")
    assert (read.start, read.end) == (ours.start, ours.end)
    assert (read.patient_id, read.provider_ids, read.place_ids) == ("pat-1", ("doc-1",), ("loc-1",))
    assert (read.slot_ids, read.reason) == (("s-1",), "Cough")
    assert own_id(read.identifiers) == VISIT_ID
    assert CODE in read.codes


@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("booked", (Status.SCHEDULED, False)),
        ("arrived", (Status.SCHEDULED, True)),
        ("checked-in", (Status.SCHEDULED, True)),
        ("fulfilled", (Status.COMPLETED, False)),
        ("cancelled", (Status.CANCELLED, False)),
        ("noshow", (Status.NO_SHOW, False)),
        ("entered-in-error", (Status.CANCELLED, False)),
    ],
)
def test_a_status_of_theirs_means_one_thing(word: str, meaning: tuple[Status, bool]) -> None:
    assert from_fhir(word) == meaning


@pytest.mark.parametrize("word", ["proposed", "pending", "waitlist", "", "Booked", "no-show", "x"])
def test_a_status_that_means_nothing_here_is_refused_and_not_guessed(word: str) -> None:
    with pytest.raises(UnknownStatus):
        from_fhir(word)


@pytest.mark.parametrize("status", Status)
def test_a_status_comes_back_as_it_was_but_for_the_confirmation(status: Status) -> None:
    came_back = from_fhir(to_fhir(status))[0]
    assert came_back is (Status.SCHEDULED if status is Status.CONFIRMED else status)


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("urn:ietf:rfc:3986", own_value(VISIT_ID))], VISIT_ID),
        ([("urn:x", "1"), ("urn:ietf:rfc:3986", own_value(VISIT_ID).upper())], VISIT_ID),
        ([("urn:ietf:rfc:3986", "urn:uuid:nonsense")], None),
        ([("urn:ietf:rfc:3986", "urn:oid:1.2.3")], None),
        ([("urn:other", own_value(VISIT_ID))], None),
        ([], None),
    ],
)
def test_our_own_visits_are_known_by_their_identifier(
    pairs: list[tuple[str, str]], found: UUID | None
) -> None:
    assert own_id(pairs) == found


def _actors(made: dict[str, Any]) -> list[str]:
    return [who["actor"].get("reference", "") for who in made["participant"]]
