"""Which times are free, across providers: the one question behind every page that offers a time."""

from scheduling.availability.fitting import best_fits
from scheduling.availability.matching import bookable
from scheduling.availability.query import DayOpenings, FreeSlot, Place, Query
from scheduling.availability.search import days_with_openings, is_free, nearest, search

__all__ = [
    "DayOpenings",
    "FreeSlot",
    "Place",
    "Query",
    "best_fits",
    "bookable",
    "days_with_openings",
    "is_free",
    "nearest",
    "search",
]
