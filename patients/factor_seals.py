"""Seals the secrets of second factors, each for one account: in another's row it does not open.

The library seals and opens without saying whose a secret is. So one that is new waits until its row
is saved, and one that is stored learns whose it is as its row is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models.signals import post_init, pre_save
from django.dispatch import receiver

from patients.crypto import VERSION
from patients.secrets import open_text, seal_text

PURPOSE = "second-factor"
WAITING = "waiting for its row"


class SealedSecret(str):
    """A sealed secret that knows what it is bound to. In the database it is plain text."""

    place: str

    @classmethod
    def bound(cls, sealed: str, place: str) -> SealedSecret:
        secret = cls(sealed)
        secret.place = place
        return secret


def place_of(user_id: int) -> str:
    """Return what the secrets of an account's second factors are bound to."""
    return f"authenticator of {user_id}"


def seal(text: str) -> SealedSecret:
    """Return a secret sealed for nobody: only a row that is then saved can make use of it."""
    return SealedSecret.bound(seal_text(PURPOSE, WAITING, text), WAITING)


def unseal(sealed: str) -> str:
    """Return a secret. Raises Tampered for one that was sealed for another account."""
    return open_text(PURPOSE, getattr(sealed, "place", WAITING), sealed)


def each_sealed(data: Any, change: Callable[[str], str]) -> Any:
    """Return JSON data with every sealed text in it replaced by what `change` makes of it."""
    if isinstance(data, dict):
        return {key: each_sealed(value, change) for key, value in data.items()}
    if isinstance(data, list):
        return [each_sealed(value, change) for value in data]
    is_sealed = isinstance(data, str) and data.startswith(f"{VERSION}.")
    return change(data) if is_sealed else data


@receiver(post_init, sender=Authenticator)
def say_whose(instance: Authenticator, **_kwargs: Any) -> None:
    """Tell secrets as they stand in a row whose they are; those that wait stay as they are."""
    known = instance.__dict__
    if "data" not in known or "user_id" not in known:
        return
    place = place_of(known["user_id"])

    def bind(sealed: str) -> str:
        return sealed if isinstance(sealed, SealedSecret) else SealedSecret.bound(sealed, place)

    known["data"] = each_sealed(known["data"], bind)


@receiver(pre_save, sender=Authenticator)
def seal_for_its_account(instance: Authenticator, **_kwargs: Any) -> None:
    """Seal what waits for the account of the row that is being written."""
    place = place_of(instance.user_id)

    def settle(sealed: str) -> str:
        if getattr(sealed, "place", None) != WAITING:
            return sealed
        return SealedSecret.bound(seal_text(PURPOSE, place, unseal(sealed)), place)

    instance.data = each_sealed(instance.data, settle)
