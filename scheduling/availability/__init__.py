"""Which times are free, across providers: the one question behind every page that offers a time."""

from scheduling.availability.old import (
    days_with_openings,
    is_free,
    matching_providers,
    nearest,
    search,
)
from scheduling.availability.query import DayOpenings, FreeSlot, Place, Query

__all__ = [
    "DayOpenings",
    "FreeSlot",
    "Place",
    "Query",
    "days_with_openings",
    "is_free",
    "matching_providers",
    "nearest",
    "search",
]
