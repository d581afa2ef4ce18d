"""Decides what has to be said so that the other side stands where we do.

Pure. Knows neither what the other side can do nor how it is spoken to.
"""

from __future__ import annotations

from dataclasses import replace

from emr.standings import Standing
from emr.visits import Step
from scheduling.transitions import Status

ENDINGS = {
    Status.COMPLETED: Step.COMPLETE,
    Status.CANCELLED: Step.CANCEL,
    Status.NO_SHOW: Step.NO_SHOW,
}


def steps(agreed: Standing | None, wanted: Standing) -> list[Step]:
    """Return the steps from what both sides last agreed on to where the visit stands, in order.

    None is a visit that the other side never had, or has no longer. Empty: nothing to say. That we
    no longer count a visit as confirmed is not said: no record system has a word for it.
    """
    if agreed is None:
        return [] if wanted.status is Status.CANCELLED else [Step.BOOK, *_onwards(wanted)]
    if wanted.status is agreed.status and wanted.status in ENDINGS:
        return []
    back = [Step.REVERT] if agreed.status in ENDINGS else []
    if wanted.status is Status.CANCELLED:
        return [*back, Step.CANCEL]
    if _place(agreed) != _place(wanted):
        return [*back, Step.RESCHEDULE, *_onwards(wanted)]
    return [*back, *_onwards(wanted, agreed)]


def _onwards(wanted: Standing, agreed: Standing | None = None) -> list[Step]:
    """Return what is to be said of a visit whose time and provider are right."""
    if wanted.status in ENDINGS:
        return [ENDINGS[wanted.status]]
    said = []
    if wanted.is_confirmed and not (agreed and agreed.is_confirmed):
        said.append(Step.CONFIRM)
    if wanted.has_arrived and not (agreed and agreed.has_arrived):
        said.append(Step.ARRIVE)
    return said


def standing_after(step: Step, wanted: Standing, *, before: Standing | None) -> Standing:
    """Return where the visit stands there once this step on the way to `wanted` is taken.

    Time and provider are the wanted ones from a BOOK or a RESCHEDULE on, and those of `before`
    until then.
    """
    if before is None or step in {Step.BOOK, Step.RESCHEDULE}:
        return replace(wanted, status=Status.SCHEDULED, has_arrived=False, is_confirmed=False)
    if step is Step.REVERT:
        return replace(before, status=Status.SCHEDULED)
    if step is Step.CONFIRM:
        return replace(before, is_confirmed=True)
    if step is Step.ARRIVE:
        return replace(before, has_arrived=True)
    ended = next(status for status, ending in ENDINGS.items() if ending is step)
    return replace(before, status=ended, has_arrived=wanted.has_arrived)


def _place(standing: Standing) -> tuple[object, ...]:
    return standing.start, standing.end, standing.provider
