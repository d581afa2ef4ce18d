"""Free days and times as the patients' templates show them."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any
from zlib import crc32

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scheduling.availability import DayOpenings, FreeSlot
from scheduling.forms.portal import slot_value
from scheduling.presenters import clock, long_date
from scheduling.wishes import EVENING, NOON


def day_choices(found: list[DayOpenings], *, is_first_page: bool) -> list[dict[str, Any]]:
    """Return days for components/day_choice.html; the first of the first page is the earliest."""
    return [
        {
            "value": opening.day.isoformat(),
            "label": long_date(opening.first.local_start),
            "count": ngettext("%(n)d time", "%(n)d times", opening.count) % {"n": opening.count},
            "is_earliest": is_first_page and number == 0,
        }
        for number, opening in enumerate(found)
    ]


def time_groups(slots: list[FreeSlot]) -> list[dict[str, Any]]:
    """Return one day's times for components/time_choice.html, by part of day.

    Each time stands once, and names its provider where there are several on that day.
    """
    labels = [_("Morning"), _("Afternoon"), _("Evening")]
    name_them = len({slot.provider.pk for slot in slots}) > 1
    slots = _one_for_each_time(slots)
    return [
        {
            "label": labels[part],
            "times": [
                {
                    "value": slot_value(slot.start, slot.provider),
                    "label": clock(slot.local_start),
                    "note": slot.provider.name if name_them else "",
                }
                for slot in of_part
            ],
        }
        for part, of_part in groupby(slots, key=_part_of_day)
    ]


def _one_for_each_time(slots: list[FreeSlot]) -> list[FreeSlot]:
    """Return one slot for each start; of several providers the instant itself picks one.

    So it is not always the first by name, and the same page shows the same twice.
    """
    found = []
    for start, group in groupby(slots, key=lambda slot: slot.start):
        same = list(group)
        found.append(same[crc32(start.isoformat().encode()) % len(same)])
    return found


def _part_of_day(slot: FreeSlot) -> int:
    at = slot.local_start.time()
    return int(at >= NOON) + int(at >= EVENING)


def unbroken(local: datetime) -> str:
    """Return "Tuesday, June 9, 3:30 pm": no line ends within the time."""
    return f"{long_date(local)}, {clock(local)}"


def offers(slots: list[FreeSlot]) -> list[dict[str, Any]]:
    """Return free times for portal/offers.html: each a button with day, time and provider."""
    return [
        {
            "value": slot_value(slot.start, slot.provider),
            "day": long_date(slot.local_start),
            "time": clock(slot.local_start),
            "provider": slot.provider.name,
        }
        for slot in slots
    ]
