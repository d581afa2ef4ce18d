"""Members of staff who sign in as people do: by password, then by a code or a passkey."""

from __future__ import annotations

import time
from typing import Any
from unittest.mock import patch

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from providers.models import Clinic, Role
from tests.answers import Answer
from tests.factories import MembershipFactory, UserFactory
from tests.factories.providers import PASSWORD

STEP = 30


def member(clinic: Clinic, role: str = Role.RECEPTIONIST, **account: Any) -> User:
    user = UserFactory.create(**account)
    MembershipFactory.create(user=user, clinic=clinic, role=role)
    return user


def give_app(user: User) -> str:
    """Give a user an app with codes; return its secret."""
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    return str(secret)


def give_recovery_codes(user: User) -> list[str]:
    codes: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return codes


def code_of(secret: str, *, steps: int = 0) -> str:
    """Return the code that an app shows now, or so many steps later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // STEP + steps)))


def type_password(client: Client, user: User, password: str = PASSWORD, **data: str) -> Answer:
    sent = {"login": user.email, "password": password, **data}
    return client.post(reverse("account_login"), sent)


def type_code(client: Client, code: str) -> Answer:
    return client.post(reverse("mfa_authenticate"), {"code": code})


def sign_in(client: Client, user: User, secret: str) -> None:
    """Take both steps; the code is that of now."""
    type_password(client, user)
    answer = type_code(client, code_of(secret))
    assert answer.status_code == 302, answer.content
    assert is_signed_in(client)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


class later:  # noqa: N801 - reads as a word: `with later(minutes=16):`
    """Everybody's clock stands so much later inside: the server's, and the library's."""

    def __init__(self, *, minutes: float = 0, seconds: float = 0) -> None:
        self.moved = minutes * 60 + seconds
        real = time.time
        self.patched = patch("time.time", lambda: real() + self.moved)

    def __enter__(self) -> None:
        self.patched.start()

    def __exit__(self, *_error: object) -> None:
        self.patched.stop()
