"""The operator's command for keys: new, list, retire."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from emr.kinds import Algorithm
from emr.models import SigningKey
from emr.smart import keys
from patients.models import AuditEntry
from patients.models.audit import Act

pytestmark = pytest.mark.django_db


def run(*words: str) -> list[str]:
    out = StringIO()
    call_command("emr_keys", *words, stdout=out)
    return out.getvalue().splitlines()


def test_the_first_key_signs_at_once_and_the_next_a_day_later() -> None:
    made, where = run("new")
    run("new")
    first, second = SigningKey.objects.order_by("signs_from")

    assert made.startswith(f"{first.kid} ES384 signs from ")
    assert where.endswith("/emr/jwks.json")
    assert (second.signs_from - first.signs_from).total_seconds() > 86_000
    assert [line.split(maxsplit=2)[0] for line in run("list")] == [second.kid, first.kid]
    assert run("list")[1] == f"{first.kid} ES384 signs"


def test_the_algorithm_and_the_overlap_may_be_chosen() -> None:
    run("new", "--algorithm", "RS384", "--signs-in", "30m")
    key = SigningKey.objects.get()
    assert key.algorithm == "RS384"
    assert 1_700 < (key.signs_from - timezone.now()).total_seconds() <= 1_800
    assert run("list")[0].startswith(f"{key.kid} RS384 signs from ")


def test_the_old_one_is_retired_once_the_new_one_signs() -> None:
    run("new")
    run("new", "--signs-in", "0m")
    new, old = SigningKey.objects.order_by("-signs_from")
    assert run("list")[1] == f"{old.kid} ES384 published only: a newer one signs"
    assert run("retire", old.kid) == [f"{old.kid} is retired."]
    assert [line.split()[0] for line in run("list")] == [new.kid]


def test_the_last_one_is_kept_and_an_unknown_one_refused() -> None:
    run("new")
    only = SigningKey.objects.get()
    with pytest.raises(CommandError, match="only pair"):
        run("retire", only.kid)
    with pytest.raises(CommandError, match="not published"):
        run("retire", "nobody")
    assert run("list")


@pytest.mark.parametrize("span", ["", "1w", "h", "-1h", "1.5h"])
def test_a_span_that_is_none_is_refused(span: str) -> None:
    with pytest.raises(CommandError):
        run("new", f"--signs-in={span}")


def test_nothing_private_is_printed_and_the_record_names_the_operator() -> None:
    printed = "\n".join(run("new") + run("list"))
    key = keys.signing_key(Algorithm.ES384, now=timezone.now())
    assert keys.private_jwk(key)["d"] not in printed
    looked = AuditEntry.objects.filter(system_actor="system:operator", purpose="emr_keys")
    assert looked.filter(action=Act.ACCESS).count() == 2
