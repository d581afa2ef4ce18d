"""The key pairs that this house signs with: made, published before they sign, and retired.

A pair signs from an instant on; until then its public half is only published, so that whoever
keeps a copy of the list has it when the first signature comes. Private halves are sealed.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from emr.kinds import Algorithm
from emr.models import SigningKey
from patients.looks import Look, looking

CURVE = "P-384"
RSA_BITS = 3072
PUBLIC = frozenset({"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"})


class NoKey(Exception):
    """There is no key pair that signs with this algorithm now."""


class StillNeeded(Exception):
    """No other key pair of its algorithm signs now: without it nothing could be signed."""


def new_key(algorithm: Algorithm, *, signs_from: datetime, now: datetime) -> SigningKey:
    """Make a pair that is published from now on, and signs from `signs_from` on."""
    from joserfc.jwk import ECKey, KeyParameters, RSAKey

    known: KeyParameters = {"use": "sig", "alg": algorithm.value}
    key: ECKey | RSAKey
    if algorithm is Algorithm.ES384:
        key = ECKey.generate_key(CURVE, known)
    else:
        key = RSAKey.generate_key(RSA_BITS, known)
    # The thumbprint alone may begin with a dash, and no command would take it as a word.
    named = {"kid": f"{algorithm.value.lower()}-{key.thumbprint()}"}
    return SigningKey.objects.create(
        kid=named["kid"],
        algorithm=algorithm.value,
        public=_public(dict(key.as_dict(private=False)) | named),
        private=json.dumps(dict(key.as_dict(private=True)) | named),
        created_at=now,
        signs_from=signs_from,
    )


def signing_key(algorithm: Algorithm, *, now: datetime) -> SigningKey:
    """Return the pair that signs now: of those that have begun, the last. Raises NoKey."""
    found = _signing(algorithm, now).first()
    if found is None:
        raise NoKey(algorithm.value)
    return found


def signs(algorithm: Algorithm, *, now: datetime) -> bool:
    """Say whether any pair signs with this algorithm now."""
    return _signing(algorithm, now).exists()


def is_signing(key: SigningKey, *, now: datetime) -> bool:
    """Say whether it is this pair that signs now with its algorithm."""
    return _signing(Algorithm(key.algorithm), now).first() == key


def private_jwk(key: SigningKey) -> dict[str, Any]:
    """Return the private half as a JWK, for one signature."""
    with looking(Look()):  # nobody is shown: it is this house's own
        found: dict[str, Any] = json.loads(key.private)
    return found


def published(*, now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return the public halves of all pairs that are not retired, as a JWK set."""
    rows = live(now=now).values_list("public", flat=True)
    return {"keys": [_public(public) for public in rows]}


@transaction.atomic
def retire(kid: str, *, now: datetime) -> SigningKey:
    """Publish a pair no longer, and sign no more with it.

    Raises SigningKey.DoesNotExist for one that is not published, and StillNeeded.
    """
    rows = list(live(now=now).select_for_update())
    key = next((each for each in rows if each.kid == kid), None)
    if key is None:
        raise SigningKey.DoesNotExist(kid)
    others = [each for each in rows if each.algorithm == key.algorithm and each != key]
    if key.signs_from <= now and not any(each.signs_from <= now for each in others):
        raise StillNeeded(kid)
    key.retires_at = now
    key.save(update_fields=["retires_at"])
    return key


def live(*, now: datetime) -> QuerySet[SigningKey]:
    """Return the pairs that are published, the one that signs last first."""
    begun = SigningKey.objects.filter(created_at__lte=now)
    return begun.filter(Q(retires_at=None) | Q(retires_at__gt=now)).order_by("-signs_from", "kid")


def _signing(algorithm: Algorithm, now: datetime) -> QuerySet[SigningKey]:
    return live(now=now).filter(algorithm=algorithm.value, signs_from__lte=now)


def _public(jwk: dict[str, Any]) -> dict[str, Any]:
    return {name: jwk[name] for name in sorted(PUBLIC & jwk.keys())}
