"""What is found in FHIR JSON text, whole or damaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr.fhir.documents import Entry, entries
from emr.fhir.errors import Damaged

WANTED = {"Patient", "Organization"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RESOURCES = st.builds(
    lambda kind, rest: rest | {"resourceType": kind},
    st.sampled_from(["Patient", "Organization", "Observation"]),
    st.dictionaries(st.text() | st.sampled_from(["entry", "resource"]), JSON, max_size=4),
)
ENTRIES = st.builds(
    lambda before, resource, after: before | {"resource": resource} | after,
    st.dictionaries(st.sampled_from(["request", "search"]), JSON, max_size=2),
    RESOURCES,
    st.dictionaries(st.sampled_from(["link", "extension"]), JSON, max_size=2),
)


def bundle(*resources: Mapping[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in resources]}


def patient(number: int) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"p{number}"}


def read_until_damaged(text: str) -> tuple[list[Entry], str]:
    found = []
    try:
        for entry in entries(text, WANTED):
            found.append(entry)
    except Damaged as damage:
        return found, str(damage)
    return found, ""


@given(
    listed=st.lists(ENTRIES, max_size=5),
    rest=st.dictionaries(st.sampled_from(["meta", "link", "total"]), JSON, max_size=2),
    indent=st.sampled_from([None, 1]),
    kind_first=st.booleans(),
)
def test_a_bundle_gives_the_same_resources_as_a_whole_parse(
    listed: list[dict[str, Any]], rest: dict[str, Any], indent: int | None, kind_first: bool
) -> None:
    kind = {"resourceType": "Bundle"}
    whole = kind | rest | {"entry": listed} if kind_first else {"entry": listed} | rest | kind
    expected = [
        (number, entry["resource"])
        for number, entry in enumerate(listed, 1)
        if entry["resource"]["resourceType"] in WANTED
    ]
    found = entries(json.dumps(whole, indent=indent), WANTED)
    assert [(entry.number, entry.resource) for entry in found] == expected


def test_a_single_resource_is_a_document_too() -> None:
    assert [entry.resource for entry in entries(json.dumps(patient(1)), WANTED)] == [patient(1)]
    assert list(entries('{"resourceType": "Observation", "id": "o"}', WANTED)) == []


def test_an_empty_bundle_holds_nothing_and_is_not_damaged() -> None:
    assert list(entries('{"resourceType": "Bundle", "entry": []}', WANTED)) == []
    assert list(entries('{"resourceType": "Bundle"}', WANTED)) == []


def test_an_unwanted_resource_is_never_decoded() -> None:
    text = json.dumps(bundle({"resourceType": "Observation", "value": "X"}, patient(1)))
    damaged_inside = text.replace('"X"', "nonsense")
    assert [entry.resource for entry in entries(damaged_inside, WANTED)] == [patient(1)]


def test_a_wanted_resource_that_is_not_json_is_refused_alone() -> None:
    text = json.dumps(bundle(patient(1), patient(2) | {"x": "X"}, patient(3)))
    found, damage = read_until_damaged(text.replace('"X"', "nonsense"))
    assert damage == ""
    assert [entry.resource.get("id") for entry in found] == ["p1", None, "p3"]
    assert found[1].refusal is not None
    assert found[1].refusal.code == "unreadable"


@pytest.mark.parametrize("lost", [1, 5, 20, 30])
def test_what_stands_before_a_cut_is_kept(lost: int) -> None:
    text = json.dumps(bundle(patient(1), patient(2), patient(3)))
    found, damage = read_until_damaged(text[:-lost])
    assert [entry.resource["id"] for entry in found][:2] == ["p1", "p2"]
    assert damage in {"it ends early", "it ends inside a text"}


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("", "it does not hold a JSON object"),
        ("<html></html>", "it does not hold a JSON object"),
        ("[1, 2]", "it does not hold a JSON object"),
        ("{}", "it holds no FHIR resource"),
        ('{"a": 1}', "it holds no FHIR resource"),
        ("{a: 1}", "it is not JSON"),
        ('{"resourceType": "Bundle" "entry": []}', "it is not JSON"),
        ('{"resourceType": "Patient", "id": nonsense}', "it is not JSON"),
        ('{"resourceType": "Patient"} {"resourceType": "Patient"}', "more follows"),
        ('{"resourceType": "Patient", "a": ' + "[" * 100_000 + "]" * 100_000 + "}", "too deeply"),
        ('{"resourceType": "Patient", "a": ' + "9" * 5_000 + "}", "number that is too long"),
    ],
)
def test_text_that_is_no_fhir_is_damaged(text: str, damage: str) -> None:
    found, reason = read_until_damaged(text)
    assert found == []
    assert damage in reason


def test_entries_of_odd_shapes_are_passed_over() -> None:
    odd: list[Any] = [None, "x", 1, {}, {"resource": None}, [], {"resource": [patient(1)]}]
    text = json.dumps({"resourceType": "Bundle", "entry": odd})
    assert list(entries(text, WANTED)) == []
