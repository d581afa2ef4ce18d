"""Lets `client.force_login` stand for a sign-in with a second factor, and nothing else.

Such a session comes from a bare request without any address, which no browser can send.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from patients.privacy.sign_in.factor import note_set_up


@contextmanager
def shown_by_force_login() -> Iterator[None]:
    """Note a second factor in every session that `force_login` makes inside."""
    user_logged_in.connect(_note)
    try:
        yield
    finally:
        user_logged_in.disconnect(_note)


def _note(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    if "REQUEST_METHOD" not in request.META:
        note_set_up(request, user, "test")
