"""Finds what a search asks for among what is on offer, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from emr.fhir.face.asking import Params, Wrong, count_asked, ids_in, last, slots_asked
from emr.fhir.face.offers import Offer, Time, location_of, schedule_of, slot_id, slots_of
from emr.fhir.systems import OWN_VISIT_TYPES
from emr.offering.rows import on_offer, times

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One page of `total` resources; `after` is where the next begins, empty on the last."""

    resources: list[Json]
    total: int
    after: str = ""


def find(resource_type: str, params: Params, *, now: datetime) -> Found:
    """Raises Wrong for what cannot be searched, and for a search that is not understood."""
    finder = _FINDERS.get(resource_type)
    if finder is None:
        raise Wrong("not-supported", "That cannot be searched; see /metadata.", status=404)
    return finder(params, now)


def _schedules(params: Params, now: datetime) -> Found:
    wanted = [one.offer for one in on_offer(now=now)]
    actors, ids = ids_in(params.get("actor", ()), "actor"), ids_in(params.get("_id", ()), "id")
    services = [one for value in params.get("service-type", ()) for one in value.split(",") if one]
    codes = {_code(one) for one in services}
    return _page(
        {
            str(one.id): partial(schedule_of, one)
            for one in wanted
            if (not actors or {one.who.id, one.place.id} & set(actors))
            and (not ids or one.id in ids)
            and (not codes or one.type_code in codes)
        },
        params,
    )


def _locations(params: Params, now: datetime) -> Found:
    ids = ids_in(params.get("_id", ()), "id")
    places = {one.clinic.pk: one.offer.place for one in on_offer(now=now)}
    return _page(
        {
            str(pk): partial(location_of, place)
            for pk, place in places.items()
            if not ids or pk in ids
        },
        params,
    )


def _slots(params: Params, now: datetime) -> Found:
    asked = slots_asked(params, now=now)
    offered = {one.offer.id: one for one in on_offer(now=now)}
    found: list[tuple[Time, Offer]] = []
    for schedule in asked.schedules:
        if one := offered.get(schedule):
            some = times(one, start=asked.start, end=asked.end, statuses=asked.statuses, now=now)
            found += [(time, one.offer) for time in some]
    found.sort(key=lambda entry: (entry[0].start, entry[1].id))
    rest = [
        (time, offer)
        for time, offer in found
        if asked.after is None or (time.start, offer.id) > asked.after
    ]
    shown = rest[: asked.count]
    after = slot_id(shown[-1][1].id, shown[-1][0].start) if len(rest) > len(shown) else ""
    return Found(_built(shown), len(found), after)


def _built(shown: Sequence[tuple[Time, Offer]]) -> list[Json]:
    """Return the Slots in their order, each offer's built together."""
    by_offer: dict[Offer, list[Time]] = {}
    for time, offer in shown:
        by_offer.setdefault(offer, []).append(time)
    built = {slot["id"]: slot for offer, some in by_offer.items() for slot in slots_of(offer, some)}
    return [built[slot_id(offer.id, time.start)] for time, offer in shown]


def _page(listed: Mapping[str, Callable[[], Json]], params: Params) -> Found:
    """Return a page of a list in the order of ids; only what is shown is built."""
    after = last(params.get("_after", ()))
    rest = sorted(pk for pk in listed if pk > after)
    shown = rest[: count_asked(params)]
    more = shown[-1] if len(rest) > len(shown) else ""
    return Found([listed[pk]() for pk in shown], len(listed), more)


def _code(token: str) -> str:
    """Return the code of `code` and of `system|code`; "" of another system's, which has none."""
    system, bar, code = token.rpartition("|")
    return code if not bar or system == OWN_VISIT_TYPES else ""


_FINDERS: Mapping[str, Callable[[Params, datetime], Found]] = MappingProxyType(
    {"Location": _locations, "Schedule": _schedules, "Slot": _slots}
)
