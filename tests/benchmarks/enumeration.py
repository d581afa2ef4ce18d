"""Whether the time of an answer tells who has an account: known and unknown ones in turn."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from statistics import median
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django_q.conf import Conf

from config.progress import step
from patients.models import OneTimeCode, Patient, TryCount
from providers.models import Clinic
from tests.benchmarks.figures import Figure

TRIES = int(os.environ.get("BENCH_TRIES", "500"))
TARGET_MS = 5.0
KNOWN, CLOSED, UNKNOWN = "known@clinic.example", "closed@clinic.example", "nobody@clinic.example"
WARMING_UP = 10


class TenthOfTheWork(PBKDF2PasswordHasher):
    """The site's own hashing, long enough to show where it is done and where it is not."""

    iterations = PBKDF2PasswordHasher.iterations // 10


def measure() -> Iterator[Figure]:
    """Yield the difference of medians of each way in, in milliseconds beside what is allowed."""
    real = override_settings(
        ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, "testserver"],
        PASSWORD_HASHERS=[f"{__name__}.{TenthOfTheWork.__name__}"],
    )
    with real, patch.object(Conf, "SYNC", new=False):
        with step("Making accounts"):
            _make_accounts()
        for name, ask in (
            ("sign-in", _sign_in),
            ("new password", _reset),
            ("code for the portal", _code),
        ):
            with step(f"Timing {name}"):
                yield from _compare(name, ask)


def _make_accounts() -> None:
    for address, is_active in ((KNOWN, True), (CLOSED, False)):
        User.objects.create_user(address, address, "a long password", is_active=is_active)
    clinic = Clinic.objects.create(name="Enumerated", slug="enumerated", is_active=False)
    Patient.objects.create(clinic=clinic, given_name="A", family_name="B", email=KNOWN)


def _compare(name: str, ask: Callable[[Client, str], None]) -> Iterator[Figure]:
    """Ask for each address in turn, so that whatever else the machine does falls on all alike."""
    client = Client()
    taken: dict[str, list[float]] = {KNOWN: [], CLOSED: [], UNKNOWN: []}
    for turn in range(TRIES + WARMING_UP):
        shift = turn % len(taken)  # each stands first, second and last equally often
        for address, times in [*taken.items()][shift:] + [*taken.items()][:shift]:
            TryCount.objects.all().delete()
            OneTimeCode.objects.all().delete()
            begun = time.perf_counter()
            ask(client, address)
            if turn >= WARMING_UP:
                times.append(time.perf_counter() - begun)
    base = median(taken[UNKNOWN])
    for label, address in (("known", KNOWN), ("closed", CLOSED)):
        apart = abs(median(taken[address]) - base) * 1_000
        yield Figure(f"enumeration {name}, {label}", apart, "ms apart", TARGET_MS)


def _sign_in(client: Client, address: str) -> None:
    client.post(reverse("account_login"), {"login": address, "password": "not the password"})


def _reset(client: Client, address: str) -> None:
    client.post(reverse("account_reset_password"), {"email": address})


def _code(client: Client, address: str) -> None:
    client.post(reverse("portal:sign_in"), {"contact": address})
