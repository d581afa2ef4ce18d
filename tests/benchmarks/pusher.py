"""One process of a worker that sends: `python -m tests.benchmarks.pusher CONNECTION SECONDS`."""

from __future__ import annotations

import sys

from emr.outbox.pushing import push

if __name__ == "__main__":
    push(sys.argv[1], seconds=float(sys.argv[2]))
