"""The proof of the keys: there after a migration, silent while right, one clear line when not."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from patients.models import KeyProof
from patients.secrets import ring
from patients.sentinel import WrongKeys, forget_all_but_writing, prove
from tests.patients.rings import BOTH, NEW, OLD, OLD_ID, WRONG

pytestmark = pytest.mark.django_db


def test_a_migrated_database_has_the_proof_of_the_writing_key() -> None:
    KeyProof.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert [row.key_id for row in KeyProof.objects.all()] == [OLD_ID]
    prove()


def test_the_proof_is_no_plain_text() -> None:
    prove()
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM patients_keyproof")
        assert all(sealed.startswith(f"1.{OLD_ID}.") for (sealed,) in cursor.fetchall())


def test_another_key_of_the_same_name_is_found_out() -> None:
    prove()
    with override_settings(DATA_KEYS=WRONG), pytest.raises(WrongKeys, match=OLD_ID) as caught:
        prove()
    assert WRONG.partition(":")[2] not in str(caught.value)


def test_a_key_that_values_may_need_must_be_there() -> None:
    prove()
    with (
        override_settings(DATA_KEYS=NEW),
        pytest.raises(WrongKeys, match=f"lacks the key {OLD_ID}"),
    ):
        prove()


def test_a_new_writing_key_leaves_its_proof_and_the_old_one_is_kept() -> None:
    prove()
    with override_settings(DATA_KEYS=BOTH):
        prove()
        assert {row.key_id for row in KeyProof.objects.all()} == {"next", OLD_ID}
        assert forget_all_but_writing() == [OLD_ID]
    with override_settings(DATA_KEYS=NEW):
        prove()
    with override_settings(DATA_KEYS=OLD), pytest.raises(WrongKeys, match="lacks the key next"):
        prove()


def test_a_proof_that_was_exchanged_is_no_proof() -> None:
    with override_settings(DATA_KEYS=BOTH):
        prove()
        KeyProof.objects.exclude(key_id="next").delete()
        sealed = ring().cipher("sentinel").seal("Another text", b"elsewhere")
        KeyProof.objects.filter(key_id="next").update(sealed=sealed)
        with pytest.raises(WrongKeys):
            prove()
