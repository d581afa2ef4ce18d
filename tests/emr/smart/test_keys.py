"""Key pairs: published before they sign, never with their private half, and retired in time."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone
from joserfc.jwk import import_key

from emr.kinds import Algorithm
from emr.models import SigningKey
from emr.smart import keys

pytestmark = pytest.mark.django_db
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
DAY = timedelta(days=1)


def kids(now: datetime) -> list[str]:
    return [key["kid"] for key in keys.published(now=now)["keys"]]


@pytest.mark.parametrize(
    ("algorithm", "members"),
    [
        (Algorithm.ES384, {"kty": "EC", "crv": "P-384"}),
        (Algorithm.RS384, {"kty": "RSA", "e": "AQAB"}),
    ],
)
def test_the_public_half_is_published_and_nothing_of_the_private_one(
    algorithm: Algorithm, members: dict[str, str], now: datetime
) -> None:
    key = keys.new_key(algorithm, signs_from=now, now=now)

    (public,) = keys.published(now=now)["keys"]
    assert not PRIVATE & public.keys()
    assert members.items() <= public.items()
    assert (public["kid"], public["alg"], public["use"]) == (key.kid, algorithm.value, "sig")
    assert key.kid.endswith(import_key(public).thumbprint())
    assert keys.private_jwk(key).keys() >= {"d", "kid"}


def test_a_private_half_put_into_the_public_column_is_not_published(now: datetime) -> None:
    key = keys.new_key(Algorithm.ES384, signs_from=now, now=now)
    key.public = keys.private_jwk(key)
    key.save(update_fields=["public"])
    assert not PRIVATE & keys.published(now=now)["keys"][0].keys()


def test_the_private_half_is_sealed_in_the_database(now: datetime) -> None:
    key = keys.new_key(Algorithm.ES384, signs_from=now, now=now)
    secret = keys.private_jwk(key)["d"]
    with database.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(k)::text FROM emr_signingkey k")
        assert secret not in json.dumps(cursor.fetchall())


def test_a_pair_is_published_before_it_signs(now: datetime) -> None:
    old = keys.new_key(Algorithm.ES384, signs_from=now, now=now)
    new = keys.new_key(Algorithm.ES384, signs_from=now + DAY, now=now)

    assert set(kids(now)) == {old.kid, new.kid}
    assert keys.signing_key(Algorithm.ES384, now=now) == old
    assert keys.signing_key(Algorithm.ES384, now=now + DAY) == new
    assert set(kids(now + DAY)) == {old.kid, new.kid}


def test_algorithms_do_not_stand_in_for_each_other(now: datetime) -> None:
    keys.new_key(Algorithm.ES384, signs_from=now, now=now)
    with pytest.raises(keys.NoKey):
        keys.signing_key(Algorithm.RS384, now=now)


def test_a_retired_pair_is_gone_at_once(now: datetime) -> None:
    old = keys.new_key(Algorithm.ES384, signs_from=now, now=now)
    new = keys.new_key(Algorithm.ES384, signs_from=now + DAY, now=now)
    later = now + 2 * DAY
    keys.retire(old.kid, now=later)

    assert kids(later) == [new.kid]
    assert keys.signing_key(Algorithm.ES384, now=later) == new
    with pytest.raises(SigningKey.DoesNotExist):
        keys.retire(old.kid, now=later)


def test_the_newer_pair_may_be_retired_and_the_older_signs_again(now: datetime) -> None:
    old = keys.new_key(Algorithm.ES384, signs_from=now - DAY, now=now - DAY)
    leaked = keys.new_key(Algorithm.ES384, signs_from=now, now=now - DAY)
    keys.retire(leaked.kid, now=now)
    assert keys.signing_key(Algorithm.ES384, now=now) == old


@pytest.mark.parametrize("others", [[], [(Algorithm.ES384, DAY)], [(Algorithm.RS384, -DAY)]])
def test_the_only_pair_that_signs_cannot_be_retired(
    others: list[tuple[Algorithm, timedelta]], now: datetime
) -> None:
    only = keys.new_key(Algorithm.ES384, signs_from=now, now=now)
    for algorithm, signs_in in others:
        keys.new_key(algorithm, signs_from=now + signs_in, now=now)
    with pytest.raises(keys.StillNeeded):
        keys.retire(only.kid, now=now)
    assert only.kid in kids(now)


def test_the_list_is_served_to_strangers_and_may_be_kept_an_hour(
    key: SigningKey, client: Any
) -> None:
    answer = client.get("/emr/jwks.json")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/jwk-set+json"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert [public["kid"] for public in answer.json()["keys"]] == [key.kid]
    assert not PRIVATE & answer.json()["keys"][0].keys()
    assert not answer.cookies


def test_no_name_of_a_key_can_be_taken_for_an_option() -> None:
    now = timezone.now()
    names = [keys.new_key(Algorithm.ES384, signs_from=now, now=now).kid for _key in range(3)]
    assert all(name.startswith("es384-") for name in names)
