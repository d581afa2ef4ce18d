"""The files of SMART Scheduling Links: all places, all schedules, and each clinic's slots.

A clinic's slots are put together at most once in a minute, however many ask.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache

from emr.fhir.face.offers import location_of, schedule_of, slots_of
from emr.offering.rows import Offered, on_offer, times_of
from providers.models import Clinic

AHEAD = timedelta(days=14)
SECONDS = 60


def clinics(*, now: datetime) -> list[Clinic]:
    """Return the clinics at which anything is on offer, in order."""
    return list({one.clinic.pk: one.clinic for one in on_offer(now=now)}.values())


def locations(*, now: datetime) -> bytes:
    places = {one.clinic.pk: one.offer.place for one in on_offer(now=now)}
    return _lines(location_of(place) for place in places.values())


def schedules(*, now: datetime) -> bytes:
    return _lines(schedule_of(one.offer) for one in on_offer(now=now))


def slots(clinic: Clinic, *, now: datetime) -> bytes:
    """Return the free and busy times of the next two weeks, from the last whole minute on."""
    now = now.replace(second=0, microsecond=0)
    key = f"emr.slots:{clinic.pk}:{now:%Y%m%dT%H%M}"
    kept: str | None = cache.get(key)
    if kept is not None:
        return zlib.decompress(bytes.fromhex(kept))
    written = _lines(_slots(on_offer(now=now, clinic=clinic), now))
    cache.set(key, zlib.compress(written).hex(), SECONDS)
    return written


def _slots(offered: list[Offered], now: datetime) -> Iterable[dict[str, Any]]:
    for one, some in times_of(offered, start=now, end=now + AHEAD, now=now):
        yield from slots_of(one.offer, some)


def _lines(resources: Iterable[dict[str, Any]]) -> bytes:
    written = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in resources)
    return "".join(f"{line}\n" for line in written).encode()
