"""What a call to a token endpoint carries so that it is believed: a signature, a secret, nothing.

Knows no token. Secrets are opened for one call.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from urllib.parse import quote

from emr.failures import Unauthorized
from emr.kinds import Algorithm, Auth
from emr.models import EMRConnection
from emr.smart.assertions import TYPE, client_assertion
from emr.smart.keys import NoKey, signing_key
from patients.looks import Look, looking

Proof = tuple[dict[str, str], dict[str, str]]


def proof(connection: EMRConnection, *, token_url: str, client_id: str, now: datetime) -> Proof:
    """Return the form fields and headers of one call. Raises Unauthorized without a key."""
    if connection.auth == Auth.PRIVATE_KEY.value:
        return _signed(connection, token_url, client_id, now), {}
    if connection.auth == Auth.CLIENT_SECRET.value:
        return {}, {"Authorization": _basic(client_id, _secret(connection))}
    return {"client_id": client_id}, {}


def _signed(
    connection: EMRConnection, token_url: str, client_id: str, now: datetime
) -> dict[str, str]:
    try:
        key = signing_key(Algorithm(connection.algorithm), now=now)
    except NoKey:
        raise Unauthorized("no-signing-key") from None
    signed = client_assertion(
        connection, token_url=token_url, key=key, now=now, client_id=client_id
    )
    return {"client_assertion_type": TYPE, "client_assertion": signed}


def _secret(connection: EMRConnection) -> str:
    with looking(Look()):  # nobody is shown: it is this house's own
        return connection.client_secret


def _basic(client_id: str, secret: str) -> str:
    """Return the header of RFC 6749 2.3.1, which escapes both as a form does."""
    told = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + b64encode(told.encode()).decode()
