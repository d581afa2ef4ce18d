"""What a vendor allows, and what a CapabilityStatement bears out of it."""

from __future__ import annotations

from typing import Any

import pytest

from emr.kinds import Feature, Vendor
from emr.profiles import EPIC, GENERIC, ORACLE, PROFILES, Need, features, offers


def statement(*rows: dict[str, Any], mode: str = "server") -> dict[str, Any]:
    return {
        "resourceType": "CapabilityStatement",
        "rest": [{"mode": mode, "resource": list(rows)}],
    }


def row(kind: str, *codes: str, **rest: Any) -> dict[str, Any]:
    return {"type": kind, "interaction": [{"code": code} for code in codes], **rest}


FULL = statement(
    row(
        "Patient",
        "read",
        "search-type",
        "create",
        operation=[{"name": "match", "definition": "http://x/Patient-match"}],
    ),
    row("Slot", "read", "search-type"),
    row("Appointment", "read", "search-type", "create", "update", "patch", conditionalCreate=True),
    row("DocumentReference", "create"),
    row("Subscription", "create"),
)


def test_a_full_statement_bears_out_all_that_a_vendor_can() -> None:
    assert features(GENERIC, FULL) == frozenset(Feature)
    assert features(ORACLE, FULL) == ORACLE.at_most
    assert features(EPIC, FULL) == EPIC.at_most


@pytest.mark.parametrize("said", [{}, {"rest": None}, {"rest": [{}]}, {"rest": [{"resource": 7}]}])
def test_what_a_statement_does_not_say_is_not_offered(said: dict[str, Any]) -> None:
    assert features(GENERIC, said) == frozenset()
    assert features(EPIC, said) == {Feature.FIND_SLOTS, Feature.BOOK}


def test_what_a_client_statement_says_does_not_count() -> None:
    said = statement(row("Appointment", "create"), mode="client")
    assert features(GENERIC, said) == frozenset()


def test_a_vendor_without_a_word_for_it_does_not_get_one_from_its_statement() -> None:
    assert not {Feature.NO_SHOW, Feature.CONFIRM, Feature.MATCH_PATIENT} & features(ORACLE, FULL)
    assert Feature.CONDITIONAL_CREATE not in features(EPIC, FULL)


def test_reading_alone_offers_no_change() -> None:
    said = statement(row("Appointment", "read", "search-type"))
    assert features(GENERIC, said) == {Feature.READ, Feature.SEARCH, Feature.POLL}


@pytest.mark.parametrize("code", ["update", "patch"])
def test_a_change_needs_one_way_to_write_it(code: str) -> None:
    offered = features(GENERIC, statement(row("Appointment", code)))
    assert {Feature.RESCHEDULE, Feature.CANCEL, Feature.NO_SHOW} <= offered
    is_oracles = Feature.CANCEL in features(ORACLE, statement(row("Appointment", code)))
    assert is_oracles is (code == "patch")


def test_a_note_may_be_a_document_or_a_task() -> None:
    assert features(GENERIC, statement(row("Task", "create"))) == {Feature.NOTE}
    assert features(GENERIC, statement(row("DocumentReference", "create"))) == {Feature.NOTE}
    assert features(GENERIC, statement(row("DocumentReference", "read"))) == frozenset()


@pytest.mark.parametrize(
    "operation",
    [
        {"name": "match"},
        {"name": "$match"},
        {"name": "patient-match"},
        {"name": "x", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-match"},
        {"definition": "OperationDefinition/match"},
    ],
)
def test_an_operation_is_known_by_each_way_of_writing_it(operation: dict[str, str]) -> None:
    said = statement(row("Patient", operation=[operation]))
    assert offers(said, Need("Patient", operation="match"))
    assert not offers(said, Need("Patient", operation="merge"))


def test_a_conditional_create_must_be_said() -> None:
    need = Need("Appointment", is_conditional=True)
    assert offers(statement(row("Appointment", conditionalCreate=True)), need)
    assert not offers(statement(row("Appointment")), need)
    assert not offers(statement(row("Appointment", conditionalCreate="true")), need)


@pytest.mark.parametrize(
    ("here", "there", "way"),
    [
        ("booked", "arrived", ("arrived",)),
        ("booked", "fulfilled", ("checked-in", "fulfilled")),
        ("arrived", "fulfilled", ("checked-in", "fulfilled")),
        ("checked-in", "fulfilled", ("fulfilled",)),
        ("checked-in", "cancelled", ("cancelled",)),
        ("booked", "booked", ()),
        ("cancelled", "booked", None),
        ("fulfilled", "booked", None),
        ("booked", "noshow", None),
    ],
)
def test_oracle_leads_from_status_to_status_by_its_own_table(
    here: str, there: str, way: tuple[str, ...] | None
) -> None:
    assert ORACLE.way(here, there) == way


def test_without_a_table_every_way_is_one_step() -> None:
    assert GENERIC.way("cancelled", "booked") == ("booked",)
    assert GENERIC.way("booked", "booked") == ()


def test_every_fhir_vendor_has_a_profile() -> None:
    assert set(PROFILES) == set(Vendor) - {Vendor.HL7V2}
    assert all(profile.vendor is vendor for vendor, profile in PROFILES.items())
