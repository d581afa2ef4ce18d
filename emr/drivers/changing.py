"""What a step changes in an Appointment of theirs, and nothing else of it. Pure.

Our half of a resource has been checked where it was built; their half goes back as it came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emr.fhir.appointment import CONFIRMED_TAG
from emr.fhir.references import type_of
from emr.fhir.tolerant import items, part
from emr.visits import Remote, Step, Visit
from scheduling.transitions import Status

Json = dict[str, Any]
Operation = dict[str, Any]
LIVE = frozenset({"booked", "arrived", "checked-in"})
ARRIVED = frozenset({"arrived", "checked-in"})
_ENDINGS: Mapping[Step, Status] = {
    Step.COMPLETE: Status.COMPLETED,
    Step.CANCEL: Status.CANCELLED,
    Step.NO_SHOW: Status.NO_SHOW,
}
_STATUS = ("status", "cancelationReason")
_ELEMENTS: Mapping[Step, tuple[str, ...]] = {
    Step.RESCHEDULE: ("start", "end", "minutesDuration", "slot", "participant"),
    Step.CONFIRM: (*_STATUS, "meta"),
    Step.REVERT: (*_STATUS, "meta"),
    Step.ARRIVE: _STATUS,
    Step.COMPLETE: _STATUS,
    Step.CANCEL: _STATUS,
    Step.NO_SHOW: _STATUS,
}
_OURS_ALONE = frozenset({"Practitioner", "PractitionerRole", "Location"})


def as_of(visit: Visit, step: Step) -> Visit:
    """Return the visit as it stands after one step, whatever has become of it since."""
    if step in _ENDINGS:
        return replace(visit, status=_ENDINGS[step], has_arrived=False)
    is_confirmed = step is Step.CONFIRM or visit.status is Status.CONFIRMED
    return replace(
        visit,
        status=Status.CONFIRMED if is_confirmed else Status.SCHEDULED,
        has_arrived=step is Step.ARRIVE,
    )


def is_already(theirs: Remote, visit: Visit, step: Step) -> bool:
    """Say whether it stands there wholly as after this step, so that nothing is left to say."""
    same_time = (theirs.start, theirs.end) == (visit.start, visit.end)
    known = visit.provider.remote_id
    same_provider = not known or not theirs.provider_ids or known in theirs.provider_ids
    return same_time and same_provider and _has_status(theirs, visit, step)


def _has_status(theirs: Remote, visit: Visit, step: Step) -> bool:
    if step is Step.ARRIVE:
        return theirs.status in ARRIVED
    if step in _ENDINGS:
        words = {Step.COMPLETE: "fulfilled", Step.CANCEL: "cancelled", Step.NO_SHOW: "noshow"}
        return theirs.status == words[step]
    if step is Step.RESCHEDULE:
        return theirs.status in LIVE
    is_confirmed = step is Step.CONFIRM or visit.status is Status.CONFIRMED
    return theirs.status in LIVE and (theirs.is_confirmed or not is_confirmed)


def merged(theirs: Mapping[str, Any], ours: Mapping[str, Any], step: Step) -> Json:
    """Return their resource with the step's elements as ours has them."""
    changed = dict(theirs)
    for name, value in _changes(theirs, ours, step):
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
    return changed


def patch(theirs: Mapping[str, Any], ours: Mapping[str, Any], step: Step) -> list[Operation]:
    """Return the JSON Patch that does the same, behind a test that it is still that version."""
    version = part(theirs.get("meta")).get("versionId")
    guard = [{"op": "test", "path": "/meta/versionId", "value": version}] if version else []
    changes = (_operation(theirs, *change) for change in _changes(theirs, ours, step))
    return [*guard, *(operation for operation in changes if operation)]


def _operation(theirs: Mapping[str, Any], name: str, value: Any) -> Operation:
    if name == "meta":
        return _tagging(theirs, value)
    path, is_there = f"/{name}", name in theirs
    if value is None:
        return {"op": "remove", "path": path} if is_there else {}
    return {"op": "replace" if is_there else "add", "path": path, "value": value}


def _tagging(theirs: Mapping[str, Any], meta: Mapping[str, Any]) -> Operation:
    """Change the tags alone: the rest of `meta` is the server's."""
    had, has = "tag" in part(theirs.get("meta")), "tag" in meta
    if not has:
        return {"op": "remove", "path": "/meta/tag"} if had else {}
    return {"op": "replace" if had else "add", "path": "/meta/tag", "value": meta["tag"]}


def _changes(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], step: Step
) -> Iterator[tuple[str, Any]]:
    """Yield (element, value) of what is otherwise; None for what is to go."""
    for name in _ELEMENTS[step]:
        if name == "participant":
            value: Any = _participants(theirs, ours)
        elif name == "meta":
            value = _meta(theirs, ours)
        else:
            value = ours.get(name)
        if value != theirs.get(name):
            yield name, value


def _meta(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Json:
    """Return their `meta` with our tag of a confirmation where ours has it, else without."""
    meta = dict(part(theirs.get("meta")))
    known = (CONFIRMED_TAG["system"], CONFIRMED_TAG["code"])
    tags = [tag for tag in items(meta.get("tag")) if (tag.get("system"), tag.get("code")) != known]
    tags += items(part(ours.get("meta")).get("tag"))
    meta.pop("tag", None)
    return meta | ({"tag": tags} if tags else {})


def _participants(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Sequence[Any]:
    """Put our provider and place in the stead of theirs; who else takes part stays."""
    new = [who for who in items(ours.get("participant")) if _kind(who) in _OURS_ALONE]
    named = {_kind(who) for who in new} | (
        {"PractitionerRole"} if any(_kind(who) == "Practitioner" for who in new) else set()
    )
    return [who for who in items(theirs.get("participant")) if _kind(who) not in named] + new


def _kind(participant: Mapping[str, Any]) -> str:
    return type_of(participant.get("actor"))
