"""What a step changes in an appointment of theirs: all of it, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emr.drivers.answers import remote
from emr.drivers.changing import as_of, is_already, merged, patch
from emr.fhir.appointment import CONFIRMED_TAG, appointment
from emr.visits import Step, Visit
from scheduling.transitions import Status
from tests.emr.drivers.scenes import cancelled, later, visit_of

VISIT = visit_of("p", "d", "l")
ALARM = {"system": "urn:x", "code": "alarm"}


def theirs(**rest: Any) -> dict[str, Any]:
    """Return the visit as a server has it, with what only it knows."""
    resource = appointment(VISIT, remote_id="7", version_id="2")
    return resource | {"meta": {"versionId": "2", "tag": [ALARM]}, "comment": "x"} | rest


def ours(visit: Visit, step: Step) -> dict[str, Any]:
    return appointment(as_of(visit, step), remote_id="7", version_id="2")


@pytest.mark.parametrize("step", [step for step in Step if step is not Step.BOOK])
@pytest.mark.parametrize(
    "there", [theirs(), theirs(status="cancelled", cancelationReason={"text": "x"})]
)
def test_a_patch_leads_to_what_a_whole_resource_says(step: Step, there: dict[str, Any]) -> None:
    visit = later(cancelled(VISIT))
    whole = merged(there, ours(visit, step), step)
    assert applied(there, patch(there, ours(visit, step), step)) == whole
    assert whole["comment"] == "x"
    assert ALARM in whole["meta"]["tag"]


def applied(resource: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Do what a patch says to members of the resource and of its `meta`."""
    result = resource | {"meta": dict(resource["meta"])}
    for one in operations:
        *path, name = one["path"].removeprefix("/").split("/")
        place = result["meta"] if path else result
        if one["op"] == "test":
            assert place[name] == one["value"]
            continue
        assert (name in place) is (one["op"] != "add")
        if one["op"] == "remove":
            del place[name]
        else:
            place[name] = one["value"]
    return result


def test_a_reason_goes_with_a_cancellation_and_leaves_with_its_end() -> None:
    gone = merged(theirs(), ours(cancelled(VISIT), Step.CANCEL), Step.CANCEL)
    assert (gone["status"], "cancelationReason" in gone) == ("cancelled", True)
    back = merged(gone, ours(VISIT, Step.REVERT), Step.REVERT)
    assert (back["status"], "cancelationReason" in back) == ("booked", False)


def test_a_confirmation_is_beside_their_own_tags() -> None:
    there = merged(theirs(), ours(VISIT, Step.CONFIRM), Step.CONFIRM)
    assert there["meta"]["tag"] == [ALARM, dict(CONFIRMED_TAG)]
    again = merged(there, ours(VISIT, Step.CONFIRM), Step.CONFIRM)
    assert again == there


def test_without_a_version_there_is_nothing_to_test() -> None:
    there = theirs(meta={})
    assert patch(there, ours(VISIT, Step.ARRIVE), Step.ARRIVE) == [
        {"op": "replace", "path": "/status", "value": "arrived"}
    ]


def test_a_step_is_said_as_it_was_whatever_came_after() -> None:
    ended = replace(VISIT, status=Status.NO_SHOW, has_arrived=True)
    assert ours(ended, Step.ARRIVE)["status"] == "arrived"
    assert ours(ended, Step.COMPLETE)["status"] == "fulfilled"
    assert ours(ended, Step.REVERT)["status"] == "booked"
    assert ours(ended, Step.NO_SHOW)["status"] == "noshow"


@pytest.mark.parametrize(
    ("step", "changed", "expected"),
    [
        (Step.ARRIVE, {"status": "arrived"}, True),
        (Step.ARRIVE, {"status": "checked-in"}, True),
        (Step.ARRIVE, {}, False),
        (Step.COMPLETE, {"status": "fulfilled"}, True),
        (Step.CANCEL, {"status": "cancelled"}, True),
        (Step.NO_SHOW, {"status": "noshow"}, True),
        (Step.NO_SHOW, {"status": "cancelled"}, False),
        (Step.CONFIRM, {}, False),
        (Step.CONFIRM, {"meta": {"tag": [dict(CONFIRMED_TAG)]}}, True),
        (Step.REVERT, {"status": "arrived"}, True),
        (Step.REVERT, {"status": "fulfilled"}, False),
        (Step.RESCHEDULE, {}, True),
        (Step.RESCHEDULE, {"status": "cancelled"}, False),
        (Step.COMPLETE, {"status": "fulfilled", "end": "2031-03-03T16:00:00Z"}, False),
    ],
)
def test_nothing_is_left_to_say_only_if_all_stands_as_it_is_to_be(
    step: Step, changed: dict[str, Any], *, expected: bool
) -> None:
    assert is_already(remote(theirs(**changed)), as_of(VISIT, step), step) is expected


def test_another_providers_visit_is_not_where_ours_is_to_be() -> None:
    other = replace(VISIT, provider=replace(VISIT.provider, remote_id="e"))
    assert not is_already(remote(theirs()), other, Step.RESCHEDULE)
