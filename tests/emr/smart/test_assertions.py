"""The statement that proves who asks: signed, short-lived, and each for one call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from emr.kinds import Algorithm
from emr.models import EMRConnection, SigningKey
from emr.smart import keys
from emr.smart.assertions import client_assertion

pytestmark = pytest.mark.django_db
URL = "https://emr.example/oauth2/token?tenant=1"


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_it_says_what_smart_asks_for_and_the_published_key_proves_it(
    connection: EMRConnection, now: datetime, algorithm: Algorithm
) -> None:
    key = keys.new_key(algorithm, signs_from=now, now=now)
    signed = client_assertion(connection, token_url=URL, key=key, now=now)
    public = KeySet.import_key_set(keys.published(now=now))  # type: ignore[arg-type]
    token = jwt.decode(signed, public, algorithms=[algorithm.value])

    assert token.header == {"alg": algorithm.value, "kid": key.kid, "typ": "JWT"}
    assert token.claims["iss"] == token.claims["sub"] == "daysheet"
    assert token.claims["aud"] == URL
    assert now.timestamp() < token.claims["exp"] <= now.timestamp() + 300
    assert token.claims.keys() == {"iss", "sub", "aud", "jti", "iat", "exp"}


def test_another_key_does_not_prove_it(
    connection: EMRConnection, key: SigningKey, now: datetime
) -> None:
    signed = client_assertion(connection, token_url=URL, key=key, now=now)
    other = keys.new_key(Algorithm.ES384, signs_from=now, now=now)
    claimed: Any = {"keys": [other.public | {"kid": key.kid}]}
    with pytest.raises(BadSignatureError):
        jwt.decode(signed, KeySet.import_key_set(claimed), algorithms=["ES384"])


def test_no_two_have_the_same_number(
    connection: EMRConnection, key: SigningKey, now: datetime
) -> None:
    public = KeySet.import_key_set({"keys": [key.public]})
    made = [
        jwt.decode(
            client_assertion(connection, token_url=URL, key=key, now=now),
            public,
            algorithms=["ES384"],
        )
        for _ in range(50)
    ]
    assert len({token.claims["jti"] for token in made}) == 50
