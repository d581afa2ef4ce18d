"""Proofs of the data keys, by which a wrong one is found before it does harm; and kept keys."""

from __future__ import annotations

from secrets import token_hex

from django.db import models

from patients.fields import SealedTextField
from patients.sealed import SealedRow


class KeyProof(models.Model):
    """What a data key must open. There is a row as long as some stored value may need the key."""

    key_id = models.CharField(max_length=24, primary_key=True)
    sealed = models.TextField()
    since = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Proof of the key {self.key_id}"


class KeptKey(SealedRow):
    """A random key that outlives all others, itself sealed: what it digests need never change."""

    name = models.CharField(max_length=40, unique=True)
    value = SealedTextField()

    def __str__(self) -> str:
        return f"Key {self.name}"

    @property
    def about_patient(self) -> None:
        """Nobody's."""


def kept_key(name: str) -> str:
    """Return the key of this name, made when it is first asked for. Keep the answer."""
    kept, _made = KeptKey.objects.get_or_create(name=name, defaults={"value": token_hex(32)})
    return kept.value
