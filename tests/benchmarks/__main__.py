"""`python -m tests.benchmarks`: every group of measurements, or those that ONLY names."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

from tests.benchmarks import (
    audit_seal,
    booking,
    crypto_field,
    database,
    enumeration,
    name_search,
    privacy_cost,
    who_saw,
)
from tests.benchmarks.figures import Figure, show
from tests.benchmarks.limit import pgbench

GROUPS: dict[str, Callable[[], Iterable[Figure]]] = {
    "audit_seal": audit_seal.measure,
    "booking": booking.measure,
    "booking_with_privacy_ratio": privacy_cost.measure,
    "crypto_field": crypto_field.measure,
    "enumeration": enumeration.measure,
    "name_search_100k": name_search.measure,
    "audit_who_saw_10m": who_saw.measure,  # last: it leaves ten million rows behind
}


def main() -> int:
    wanted = [name for name in os.environ.get("ONLY", "").split(",") if name] or list(GROUPS)
    unknown = set(wanted) - set(GROUPS)
    if unknown:
        print(f"Unknown: {', '.join(sorted(unknown))}. There are: {', '.join(GROUPS)}.")
        return 2
    with database.created():
        print(f"{os.cpu_count()} processors, {database.describe()}")
        print(f"limit: {pgbench() or 'psycopg in sixteen processes, for want of pgbench'}")
        figures: list[Figure] = []
        try:
            for name in wanted:
                for figure in GROUPS[name]():
                    figures.append(figure)
        finally:
            show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
