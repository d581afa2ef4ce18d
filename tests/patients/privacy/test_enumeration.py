"""Nobody learns from an answer, or from the work behind it, whether an account exists.

Times are measured by the benchmark `enumeration`; here the work that takes them is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from patients import accounts
from patients.models import AuditEntry, Patient
from providers.models import Clinic
from tests.answers import Answer
from tests.factories import PatientFactory, UserFactory
from tests.patients.privacy import staff_sign_in
from tests.patients.privacy.staff_sign_in import give_app, later, member

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]
Commit = Callable[..., AbstractContextManager[list[Callable[[], object]]]]
UNKNOWN = "nobody@clinic.example"
# The length is that of the address typed, which stands in the page again.
OF_THE_MOMENT = {"Content-Length", "Expires", "Last-Modified", "X-Request-ID"}
VALUES = re.compile(r"'[^']*'|\"s\d+_x\d+\"")
VARIES = re.compile(r'(csrf-token" content|csrfmiddlewaretoken" value)="\w+"|value="[^"]+@[^"]+"')


@dataclass(frozen=True)
class Seen:
    """What an answer shows, and the work that was done for it."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    queries: tuple[str, ...]
    hashes: int


def look(ask: Callable[[Client], Answer]) -> Seen:
    """Ask with a browser of its own, and note all that could be told apart."""
    client, real, count = Client(), hashers.MD5PasswordHasher.encode, []

    def encode(self: Any, password: str, salt: str) -> str:
        count.append(1)
        return real(self, password, salt)

    with (
        patch.object(hashers.MD5PasswordHasher, "encode", encode),
        CaptureQueriesContext(connection) as queries,
    ):
        answer = ask(client)
    headers = tuple(sorted((n, v) for n, v in answer.headers.items() if n not in OF_THE_MOMENT))
    kinds = tuple(VALUES.sub("", query["sql"]) for query in queries)
    body = VARIES.sub("", answer.content.decode())
    return Seen(answer.status_code, headers, body, kinds, len(count))


@pytest.fixture
def everybody(clinic: Clinic) -> list[str]:
    """Addresses of staff with and without a second step, of closed accounts, and of nobody."""
    with_app = member(clinic, email="app@clinic.example")
    give_app(with_app)
    UserFactory.create(email="closed@clinic.example", is_active=False)
    unusable = UserFactory.create(email="unusable@clinic.example")
    unusable.set_unusable_password()
    unusable.save()
    member(clinic, email="plain@clinic.example")
    return [
        "app@clinic.example",
        "closed@clinic.example",
        "unusable@clinic.example",
        "plain@clinic.example",
        UNKNOWN,
    ]


def _wrong_password(address: str) -> Callable[[Client], Answer]:
    return lambda client: client.post(
        reverse("account_login"), {"login": address, "password": "not the password"}
    )


def _reset(address: str) -> Callable[[Client], Answer]:
    return lambda client: client.post(reverse("account_reset_password"), {"email": address})


def _code(address: str) -> Callable[[Client], Answer]:
    return lambda client: client.post(reverse("portal:sign_in"), {"contact": address})


def test_a_wrong_password_looks_alike_for_everybody(everybody: list[str]) -> None:
    seen = [look(_wrong_password(address)) for address in everybody]
    assert {each.hashes for each in seen} == {1}
    assert all(each == seen[-1] for each in seen)


def test_a_portal_accounts_name_looks_alike_too(clinic: Clinic) -> None:
    account = UserFactory.create(username="p-0190aaaa", email="")
    account.set_unusable_password()
    account.save()
    assert look(_wrong_password("p-0190aaaa@clinic.example")) == look(_wrong_password(UNKNOWN))


def test_asking_for_a_new_password_looks_alike_for_everybody(
    everybody: list[str], django_capture_on_commit_callbacks: Commit
) -> None:
    seen = []
    for address in everybody:
        with django_capture_on_commit_callbacks() as due:
            seen.append(look(_reset(address)))
        assert len(due) == 1
    assert all(each == seen[-1] for each in seen)


def test_asking_for_a_code_looks_alike_for_patients_and_strangers(
    clinic: Clinic, django_capture_on_commit_callbacks: Commit
) -> None:
    PatientFactory.create(clinic=clinic, email="ada@mail.example")
    assert Patient.objects.filter(clinic=clinic).count() == 1
    seen = []
    for address in ("ada@mail.example", UNKNOWN):
        with django_capture_on_commit_callbacks() as due:
            seen.append(look(_code(address)))
        assert len(due) == 1
    assert seen[0] == seen[1]


def test_a_wrong_password_is_written_down_without_saying_whose(everybody: list[str]) -> None:
    for address in everybody:
        look(_wrong_password(address))
    rows = AuditEntry.objects.filter(purpose="password", outcome="DENIED")
    assert rows.count() == len(everybody)
    told = str(list(rows.values()))
    assert not any(address in told for address in everybody)


@pytest.mark.parametrize("address", ["plain@clinic.example", UNKNOWN])
def test_guessing_a_password_is_slowed_down_alike_and_not_for_good(
    clinic: Clinic, address: str
) -> None:
    member(clinic, email="plain@clinic.example")
    client = Client()
    for _ in range(accounts.BY_ACCOUNT_HERE.times):
        assert b"Too many failed login attempts" not in _wrong_password(address)(client).content
    assert b"Too many failed login attempts" in _wrong_password(address)(client).content
    with later(minutes=6):
        assert b"Too many failed login attempts" not in _wrong_password(address)(client).content


def test_a_guesser_elsewhere_does_not_keep_the_owner_out(clinic: Clinic) -> None:
    user = member(clinic)
    guesser = Client(REMOTE_ADDR="203.0.113.66")
    for _ in range(accounts.BY_ACCOUNT_HERE.times * 3):
        staff_sign_in.type_password(guesser, user, "guess")
    client = Client()
    staff_sign_in.type_password(client, user)
    assert staff_sign_in.is_signed_in(client)


def test_many_networks_together_are_stopped_at_one_account(clinic: Clinic) -> None:
    user: User = member(clinic)
    for number in range(accounts.BY_ACCOUNT.times):
        guesser = Client(REMOTE_ADDR=f"203.0.113.{number + 1}")
        staff_sign_in.type_password(guesser, user, "guess")
    client = Client(REMOTE_ADDR="198.51.100.1")
    staff_sign_in.type_password(client, user)
    assert not staff_sign_in.is_signed_in(client)
    with later(minutes=16):
        staff_sign_in.type_password(client, user)
        assert staff_sign_in.is_signed_in(client)


def test_asking_for_new_passwords_is_slowed_down(clinic: Clinic) -> None:
    client = Client()
    for _ in range(accounts.RESET_BY_ACCOUNT.times):
        assert _reset(UNKNOWN)(client).status_code == 302
    answer = _reset(UNKNOWN)(client)
    assert b"That was asked for too many times" in answer.content


def test_a_successful_sign_in_does_not_use_the_limit_up(clinic: Clinic) -> None:
    user = member(clinic)
    for _ in range(accounts.BY_ACCOUNT_HERE.times * 2):
        client = Client()
        staff_sign_in.type_password(client, user)
        assert staff_sign_in.is_signed_in(client)
