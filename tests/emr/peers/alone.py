"""A generic record system in a process of its own: `python -m tests.emr.peers.alone SECONDS FILE`.

FILE has the resources that are there at first, one in a line; each answer takes so many seconds.
Prints its address, ends with its input, and then prints what became of it.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from tests.emr.peers import Peer, generic_peer


def main() -> None:
    latency, file = sys.argv[1:]
    with generic_peer() as peer:
        for line in Path(file).read_text(encoding="utf-8").splitlines():
            peer.add(json.loads(line))
        peer.latency = float(latency)
        print(peer.base_url, flush=True)
        sys.stdin.read()
        print(json.dumps(_became(peer)))


def _became(peer: Peer) -> dict[str, int]:
    """Return how many calls there were, and how many visits bear a number that another has too."""
    numbers = Counter(
        number["value"] for one in peer.appointments for number in one.get("identifier", [])
    )
    doubles = sum(count - 1 for count in numbers.values())
    return {"calls": len(peer.calls), "visits": len(peer.appointments), "doubles": doubles}


if __name__ == "__main__":
    main()
