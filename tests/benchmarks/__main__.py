"""`python -m tests.benchmarks`: every group of measurements, or those that ONLY names."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

from tests.benchmarks import (
    audit_seal,
    availability,
    booking,
    confirmation_latency,
    crypto_field,
    database,
    emr_outbox_throughput,
    enumeration,
    month_page,
    name_search,
    one_provider,
    privacy_cost,
    reconcile_10k,
    reminders_due,
    reminders_send,
    waitlist_offers,
    waitlist_simulation,
    who_saw,
)
from tests.benchmarks.figures import Figure, show
from tests.benchmarks.limit import pgbench

# In this order: some leave clinics or rows behind that others could not do with.
GROUPS: dict[str, Callable[[], Iterable[Figure]]] = {
    "audit_seal": audit_seal.measure,
    "booking": booking.measure,
    "booking_with_privacy_ratio": privacy_cost.measure,
    "crypto_field": crypto_field.measure,
    "enumeration": enumeration.measure,
    "emr_outbox_throughput": emr_outbox_throughput.measure,
    "name_search_100k": name_search.measure,
    "availability_one_provider_30d": one_provider.measure,
    "availability_page": month_page.measure,
    "availability_search": availability.measure,
    "confirmation_latency": confirmation_latency.measure,
    "due_scan_1m": reminders_due.measure,
    "send_10k_at_50ms": reminders_send.measure,
    "reconcile_10k": reconcile_10k.measure,
    "waitlist_offers": waitlist_offers.measure,
    "waitlist_simulation": waitlist_simulation.measure,
    "audit_who_saw_10m": who_saw.measure,  # leaves ten million
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
            for name in filter(wanted.__contains__, GROUPS):
                for figure in GROUPS[name]():
                    figures.append(figure)
        finally:
            show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
