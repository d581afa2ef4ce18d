"""A token opens one offer, can be made again, and says nothing."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from django.test import override_settings

from patients.crypto import token_digest
from providers.fields import new_id
from scheduling.waitlist.tokens import digest_of, offer_url, token_of

OFFER = UUID("0190b3c4-0000-7000-8000-000000000001")


def test_a_token_is_twenty_two_characters_that_need_no_quoting() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", token_of(OFFER))


def test_the_same_offer_has_the_same_token_and_another_another_one() -> None:
    assert token_of(OFFER) == token_of(OFFER)
    assert len({token_of(new_id()) for _ in range(200)}) == 200


def test_whoever_knows_the_id_and_not_the_secret_cannot_make_the_token() -> None:
    token = token_of(OFFER)
    with override_settings(SECRET_KEY="another secret of the same length or so"):
        assert token_of(OFFER) != token


def test_rows_keep_the_digest_by_which_other_tokens_are_kept_too() -> None:
    assert digest_of(OFFER) == token_digest(token_of(OFFER))
    assert len(digest_of(OFFER)) == 32


@pytest.mark.parametrize("part", [str(OFFER), OFFER.hex])
def test_the_id_of_the_offer_does_not_stand_in_it(part: str) -> None:
    assert part not in token_of(OFFER)


def test_an_address_leads_to_the_site_and_holds_the_token_only() -> None:
    class Offer:
        pk = OFFER

    with override_settings(SITE_URL="https://clinic.example"):
        assert offer_url(Offer()) == f"https://clinic.example/o/{token_of(OFFER)}/"  # type: ignore[arg-type]
