"""Proves, before the first patient is read, that the data keys are the right ones.

A wrong key would look like tampering on every page, and what it writes nobody else could read.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps

from patients.crypto import SealBroken
from patients.models.keys import KeyProof
from patients.secrets import ring

USE = "sentinel"
TEXT = "This key opens what it should."


class WrongKeys(Exception):
    """The keys in DATA_KEYS are not those that the database was written with."""


def prove() -> None:
    """Open the proof of every key in use; write that of the writing key if it is new.

    Two queries. Raises WrongKeys, whose words name key ids and nothing else, or DatabaseError.
    """
    keys = ring()
    proofs = dict(KeyProof.objects.values_list("key_id", "sealed"))
    for key_id, sealed in proofs.items():
        if key_id not in keys.ids:
            raise WrongKeys(f"DATA_KEYS lacks the key {key_id}, which stored values may need.")
        try:
            keys.cipher(USE).open(sealed, key_id.encode())
        except SealBroken:
            raise WrongKeys(f"DATA_KEYS has another key {key_id} than stored values.") from None
    if keys.ids[0] not in proofs:
        _write(keys.ids[0])


def _write(key_id: str) -> None:
    sealed = ring().cipher(USE).seal(TEXT, key_id.encode())
    KeyProof.objects.bulk_create([KeyProof(key_id=key_id, sealed=sealed)], ignore_conflicts=True)


def after_migrate(**kwargs: Any) -> None:
    """Leave the proof of the writing key, once there is a table for it. Raises WrongKeys."""
    known = kwargs.get("apps", apps)  # a flush names none
    if "keyproof" in known.all_models["patients"]:
        prove()


def forget_all_but_writing() -> list[str]:
    """Remove the proofs of keys that no value needs any longer; return their ids."""
    gone = KeyProof.objects.exclude(key_id=ring().ids[0])
    ids = list(gone.values_list("key_id", flat=True))
    gone.filter(key_id__in=ids).delete()
    return ids
