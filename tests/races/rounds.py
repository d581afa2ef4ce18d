"""How many rounds each race runs: more threads cost more, so they meet less often."""

from __future__ import annotations

ROUNDS: dict[tuple[str, int], int] = {
    ("one slot", 2): 3_000,
    ("one slot", 8): 500,
    ("one slot", 50): 50,
    ("overlap", 2): 1_500,
    ("overlap", 8): 200,
    ("overlap", 50): 30,
    ("touching", 2): 1_000,
    ("touching", 8): 150,
    ("touching", 50): 15,
    ("one patient", 2): 1_000,
    ("one patient", 8): 150,
    ("one patient", 50): 20,
    ("hold and booking", 2): 1_000,
    ("hold and hold", 2): 600,
    ("hold and hold", 8): 100,
    ("expiry", 2): 600,
    ("leave", 2): 600,
    ("leave", 8): 80,
    ("overbooking", 8): 80,
    ("overbooking", 50): 10,
    ("one key", 8): 100,
    ("swap", 2): 150,
    ("movers", 2): 200,
    ("movers", 8): 40,
    ("confirm and release", 2): 40,
    ("offers", 2): 40,
    ("offers", 8): 10,
    ("join and booking", 2): 150,
    ("join and overlap", 2): 60,
    ("join crosswise", 2): 100,
    ("join and details", 2): 100,
    ("join and move", 2): 25,
}


def sizes(scene: str) -> list[int]:
    return [size for name, size in ROUNDS if name == scene]
