"""The secret of a second factor opens in its own account's row, and nowhere else."""

from __future__ import annotations

import copy

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from django.db import connection

from patients import second_factor
from patients.crypto import Tampered
from patients.secrets import open_text
from tests.factories import UserFactory
from tests.patients.privacy.staff_sign_in import code_of, give_app, give_recovery_codes

pytestmark = pytest.mark.django_db


def stored(row: Authenticator) -> str:
    """Return a row's data as they stand in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator WHERE id = %s", [row.pk])
        return str(cursor.fetchone()[0])


def moved_to_another_account(kind: str) -> Authenticator:
    """Return a factor into whose row somebody wrote the data of their own."""
    mine, theirs = UserFactory.create_batch(2)
    for user in (mine, theirs):
        give_app(user)
        give_recovery_codes(user)
    data = Authenticator.objects.get(user=mine, type=kind).data
    Authenticator.objects.filter(user=theirs, type=kind).update(data=data)
    return Authenticator.objects.get(user=theirs, type=kind)


def test_a_secret_that_was_written_opens_at_once_and_after_it_is_read_again() -> None:
    user = UserFactory.create()
    secret = give_app(user)
    row = Authenticator.objects.get(user=user)
    assert secret not in stored(row)
    assert decrypt(row.data["secret"]) == secret
    row.refresh_from_db()
    assert decrypt(row.data["secret"]) == secret
    codes = give_recovery_codes(user)
    kept = Authenticator.objects.get(user=user, type="recovery_codes")
    assert kept.wrap().get_unused_codes() == codes


@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_a_secret_from_another_accounts_row_does_not_open(kind: str) -> None:
    row = moved_to_another_account(kind)
    with pytest.raises(Tampered):
        row.wrap().validate_code("000000")


def test_no_code_of_a_secret_from_another_row_is_taken() -> None:
    mine, theirs = UserFactory.create_batch(2)
    secret = give_app(mine)
    give_app(theirs)
    own = Authenticator.objects.get(user=mine)
    Authenticator.objects.filter(user=theirs).update(data=own.data)
    with pytest.raises(Tampered):
        second_factor.accept(theirs, code_of(secret))
    assert second_factor.accept(mine, code_of(secret)) == own


def test_saving_a_row_that_holds_anothers_secret_does_not_make_it_its_own() -> None:
    row = moved_to_another_account("totp")
    row.record_usage()
    row.save()
    row.refresh_from_db()
    with pytest.raises(Tampered):
        decrypt(row.data["secret"])


def test_a_secret_that_still_waits_for_its_row_opens_in_none() -> None:
    """Such a text is never stored; were it, it would be of use to nobody."""
    row = Authenticator.objects.create(user=UserFactory.create(), type="totp", data={})
    Authenticator.objects.filter(pk=row.pk).update(data={"secret": encrypt("a secret")})
    row.refresh_from_db()
    with pytest.raises(Tampered):
        decrypt(row.data["secret"])


def test_what_is_stored_is_bound_to_the_account_by_its_seal() -> None:
    user = UserFactory.create()
    secret = give_app(user)
    text = str(Authenticator.objects.values_list("data", flat=True).get()["secret"])
    assert open_text("second-factor", f"authenticator of {user.pk}", text) == secret


def test_a_copy_of_a_secret_still_knows_whose_it_is() -> None:
    user = UserFactory.create()
    secret = give_app(user)
    row = Authenticator.objects.get(user=user)
    assert decrypt(copy.deepcopy(row.data)["secret"]) == secret


def test_the_rest_of_a_rows_data_stays_as_it_was() -> None:
    data = {"name": "Phone", "credential": {"id": "abc", "list": [1, None, "1st"]}}
    row = Authenticator.objects.create(user=UserFactory.create(), type="webauthn", data=data)
    assert Authenticator.objects.get(pk=row.pk).data == data
