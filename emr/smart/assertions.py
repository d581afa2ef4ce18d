"""The signed statement by which this house shows a token endpoint who it is (SMART App Launch 2.2,
client-confidential-asymmetric). Each is for one call."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from emr.models import EMRConnection, SigningKey
from emr.smart.keys import private_jwk

LIFE = timedelta(minutes=4)  # five are allowed; the rest is for clocks that differ
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def client_assertion(
    connection: EMRConnection,
    *,
    token_url: str,
    key: SigningKey,
    now: datetime,
    client_id: str = "",
) -> str:
    """Return a JWT for one call to `token_url`, which it names exactly as its audience.

    `client_id` is the connection's unless another is given.
    """
    from joserfc import jwt
    from joserfc.jwk import import_key

    name = client_id or connection.client_id
    issued = int(now.timestamp())
    claims = {
        "iss": name,
        "sub": name,
        "aud": token_url,
        "jti": uuid4().hex,
        "iat": issued,
        "exp": issued + int(LIFE.total_seconds()),
    }
    header = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}
    return jwt.encode(header, claims, import_key(private_jwk(key)), algorithms=[key.algorithm])
