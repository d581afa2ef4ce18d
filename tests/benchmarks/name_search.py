"""How long the finder takes among 100,000 patients, through the page, as names are typed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from random import Random
from statistics import median

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.urls import reverse
from django.utils import timezone

from config.progress import step
from patients.crypto import NONCE_BYTES
from patients.models import Patient
from patients.name_index.shelf import Shelf
from patients.search_terms import parse
from providers.models import Clinic
from tests.benchmarks import people
from tests.benchmarks.figures import Figure, quantile
from tests.benchmarks.site import Site, Visitor, served, signed_in
from tests.factories import ClinicFactory, MembershipFactory

MANY = int(os.environ.get("BENCH_NAMES", "100000"))
SEARCHES = int(os.environ.get("BENCH_SEARCHES", "600"))
CHANGES = 30
TARGET_MS, TARGET_MEMORY_MB, TARGET_LOOK_UP_MS = 50.0, 64.0, 5.0
SEALED_COLUMNS = 4
PADDED = 32
MEGABYTE = 1_048_576


def measure() -> Iterator[Figure]:
    """Yield all figures; the bare page and bare decryption are measured in the same run."""
    clinic = ClinicFactory.create(name="Large Clinic")
    with step(f"Registering {MANY:,} patients"):
        typed = _texts(people.register(clinic, MANY))
    desk = MembershipFactory.create(clinic=clinic).user
    with served() as site:
        visitor = signed_in(site, desk)
        yield from _first_search(site, visitor)
        yield from _typing(visitor, typed)
        yield from _after_changes(clinic, visitor, typed)
    yield from _in_memory(clinic, typed)


def _texts(patients: Sequence[Patient]) -> list[str]:
    """Return what a desk types of each patient in turn: beginnings, parts, birthdays, phones."""
    dice = Random(3)
    texts = []
    for number, patient in enumerate(patients):
        family, given, dob = patient.family_name, patient.given_name, patient.dob
        length = dice.randint(3, max(3, len(family)))
        ways = (
            family[:length],
            family[:3],
            given[:3],
            f"{family} {given[:1]}",
            f"{given} {family[:2]}",
            family[1:5],
            f"{dob:%m/%d/%Y}",
            patient.phone[-4:],
            f"{family[:3]} {dob:%m/%d/%y}",
        )
        texts.append(ways[number % len(ways)])
    dice.shuffle(texts)
    return [text for text in texts if len(text.strip("- ")) >= 3]


def _search(visitor: Visitor, text: str) -> tuple[float, str]:
    return visitor.post(reverse("desk:finder"), q=text)


def _first_search(site: Site, visitor: Visitor) -> Iterator[Figure]:
    visitor.get(reverse("desk:finder"))
    before = site.memory()
    with step("Reading everybody's name"):
        seconds, _page = _search(visitor, "zzzzzz")
    bare = _bare_decryption(SEALED_COLUMNS * MANY)
    yield Figure("name_search_100k, first search of a worker", seconds * 1_000, "ms", bare * 1_000)
    grown = (site.memory() - before) / MEGABYTE
    yield Figure("name_search_100k, memory of a worker", grown, "MB", TARGET_MEMORY_MB)


def _bare_decryption(number: int) -> float:
    """Return the seconds that AES-GCM alone takes to open so many values of a name's length."""
    aes, nonce, context = AESGCM(os.urandom(32)), os.urandom(NONCE_BYTES), os.urandom(64)
    sealed = aes.encrypt(nonce, os.urandom(PADDED), context)
    begun = time.perf_counter()
    for _ in range(number):
        aes.decrypt(nonce, sealed, context)
    return time.perf_counter() - begun


def _typing(visitor: Visitor, texts: Sequence[str]) -> Iterator[Figure]:
    """Search and a bare page in turn, so that both meet the same machine."""
    searches, bare = [], []
    with step(f"Searching {SEARCHES} times"):
        for number in range(SEARCHES):
            seconds, page = _search(visitor, texts[number % len(texts)])
            if "finder-list" not in page:
                raise RuntimeError("A search did not answer with the finder's results.")
            searches.append(seconds * 1_000)
            if number % 5 == 0:
                bare.append(visitor.get(reverse("desk:finder")) * 1_000)
    p95 = quantile(searches, 0.95)
    yield Figure("name_search_100k, p50 beside a bare page's", median(searches), "ms", median(bare))
    yield Figure("name_search_100k, p95 beside a bare page's", p95, "ms", quantile(bare, 0.95))
    yield Figure("name_search_100k, p95", p95, "ms", TARGET_MS)
    yield Figure("name_search_100k, slowest", max(searches), "ms")


def _after_changes(clinic: Clinic, visitor: Visitor, texts: Sequence[str]) -> Iterator[Figure]:
    """The first search after somebody registers, which must find them, and the next one."""
    first, second = [], []
    for number in range(CHANGES):
        name = f"Zzyzx{number}q"
        Patient.objects.create(clinic=clinic, given_name="Ana", family_name=name)
        seconds, page = _search(visitor, name)
        if name not in page:
            raise RuntimeError("Somebody who had just registered was not found.")
        first.append(seconds * 1_000)
        second.append(_search(visitor, texts[number])[0] * 1_000)
    yield Figure("name_search_100k, after a change", median(first), "ms", median(second))


def _in_memory(clinic: Clinic, texts: Sequence[str]) -> Iterator[Figure]:
    """Looking into the index alone, without a page around it."""
    today, took = timezone.now().date(), []
    with Shelf().lent(clinic) as index:
        for text in texts[:SEARCHES]:
            begun = time.perf_counter()
            index.best(parse(text, today=today), 21)
            took.append((time.perf_counter() - begun) * 1_000)
    name = "name_search_100k, look-up in memory"
    yield Figure(f"{name}, p50", median(took), "ms", TARGET_LOOK_UP_MS)
    yield Figure(f"{name}, p95", quantile(took, 0.95), "ms", TARGET_LOOK_UP_MS)
