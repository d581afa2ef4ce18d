"""Checks who a record system says has signed in there (OpenID Connect Core 3.1.3.7).

Believes a signature by a key that the issuer publishes, and nothing else in the token before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from emr.failures import Refused

ALGORITHMS = ["RS256", "ES256", "RS384", "ES384"]
LEEWAY = 60


def verified(
    token: str, *, jwks: Mapping[str, Any], issuer: str, client_id: str, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """Return the claims of an id_token. Raises Refused("id-token") for one that proves nothing."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        keys = KeySet.import_key_set({"keys": _signing(jwks)})
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
        _rules(issuer, client_id, nonce, now).validate(claims)
    except (JoseError, ValueError, TypeError, KeyError):
        raise Refused("id-token") from None
    if claims.get("azp", client_id) != client_id:
        raise Refused("id-token")
    return claims


def _signing(jwks: Mapping[str, Any]) -> list[Any]:
    """Return the keys of a set that may sign, without any that is shared with others."""
    listed = jwks.get("keys")
    found = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    return [key for key in found if key.get("kty") != "oct" and key.get("use", "sig") == "sig"]


def _rules(issuer: str, client_id: str, nonce: str, now: datetime) -> Any:
    from joserfc.jwt import JWTClaimsRegistry

    return JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
