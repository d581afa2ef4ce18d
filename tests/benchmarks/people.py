"""A large clinic's patients, all made up: names as uneven as real ones are, from syllables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from random import Random

from patients.models import Patient
from providers.models import Clinic

SYLLABLES = [a + b for a in (*"bcdfglmnprstv", "ch", "sh") for b in "aeiou"]
ENDINGS = ["n", "s", "r", "z", "rez", "son", "ski", "ta", "lin", ""]
ACCENTS = str.maketrans("aeiou", "áéíóú")
GIVEN, FAMILY = 1_500, 15_000
FIRST_BIRTH, DAYS = date(1930, 1, 1), 33_000
BATCH = 2_000


class Names:
    """So many different names, the first of which are borne by many and the last by few."""

    def __init__(self, dice: Random, number: int) -> None:
        self._dice = dice
        made: dict[str, None] = {}
        while len(made) < number:
            length = dice.choice((2, 2, 2, 3))
            name = "".join(dice.choices(SYLLABLES, k=length)) + dice.choice(ENDINGS)
            made[self._accented(name).capitalize()] = None
        self._names = list(made)
        self._weights = [1 / (place + 10) for place in range(number)]

    def _accented(self, name: str) -> str:
        return name[:-2] + name[-2:].translate(ACCENTS) if self._dice.random() < 0.1 else name

    def draw(self, number: int) -> list[str]:
        drawn = self._dice.choices(self._names, self._weights, k=2 * number)
        pairs = zip(drawn[::2], drawn[1::2], strict=True)
        return [f"{one}-{two}" if self._dice.random() < 0.08 else one for one, two in pairs]


def patients(clinic: Clinic, number: int, *, seed: int = 7) -> Iterator[Patient]:
    """Yield so many patients, the same for the same seed, not yet saved."""
    dice = Random(seed)
    given, family = Names(dice, GIVEN).draw(number), Names(dice, FAMILY).draw(number)
    for place in range(number):
        yield Patient(
            clinic=clinic,
            given_name=given[place],
            family_name=family[place],
            dob=FIRST_BIRTH + timedelta(days=dice.randrange(DAYS)),
            phone=f"+1212{dice.randrange(2_000_000, 10_000_000)}",
        )


def register(clinic: Clinic, number: int) -> list[Patient]:
    """Save so many patients and return every hundredth of them as it was typed."""
    people = patients(clinic, number)
    kept: list[Patient] = []
    while batch := list(islice(people, BATCH)):
        for person in batch:
            person.index_assigned()
        kept += batch[::100]
        Patient.objects.bulk_create(batch)
    return kept
