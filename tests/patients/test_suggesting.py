"""The worker's look for doubles, and that whoever registers learns nothing from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.conf import Conf
from django_q.models import OrmQ

from patients.deciding import tell_apart
from patients.models import AuditEntry, MatchCandidate, Patient
from patients.models.audit import Act
from patients.registration import Details, register, register_provisional
from patients.suggesting import AT_ONCE, suggest, suggest_later
from providers.fields import new_id
from providers.models import Clinic
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _queue_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks stay in the queue, as they do while the worker is busy."""
    monkeypatch.setattr(Conf, "SYNC", False)


ADA = Details(
    given_name="Ada",
    family_name="Moreno",
    dob=date(1984, 2, 29),
    email="ada@mail.example",
    phone="+12125550100",
)


def pairs() -> list[tuple[set[Any], str, str]]:
    return [
        ({pair.one_id, pair.other_id}, pair.band, pair.state)
        for pair in MatchCandidate.objects.all()
    ]


def test_a_new_record_and_the_one_like_it_wait_for_somebodys_look(clinic: Clinic) -> None:
    known = register(clinic=clinic, details=ADA)
    new = register_provisional(clinic=clinic, details=replace(ADA, phone=""))
    register(clinic=clinic, details=replace(ADA, given_name="Beniamino"))
    assert suggest([str(new.pk)]) == 1
    assert pairs() == [({known.pk, new.pk}, "CERTAIN", "OPEN")]
    assert "email:EQUAL" in MatchCandidate.objects.get().reasons
    assert Patient.objects.filter(merged_into=None).count() == 3


def test_a_job_that_runs_twice_or_from_the_other_side_asks_once(clinic: Clinic) -> None:
    known = register(clinic=clinic, details=ADA)
    new = register(clinic=clinic, details=ADA)
    assert suggest([str(new.pk)]) == 1
    assert suggest([str(new.pk)]) == suggest([str(known.pk)]) == 0
    assert len(pairs()) == 1


def test_two_who_are_different_people_are_never_asked_about_again(
    clinic: Clinic, now: datetime
) -> None:
    one = register(clinic=clinic, details=ADA)
    other = register(clinic=clinic, details=ADA)
    suggest([str(other.pk)])
    somebody = UserFactory.create()
    assert tell_apart(pair=MatchCandidate.objects.get(), by=somebody, now=now)
    suggest([str(one.pk), str(other.pk)])
    assert [state for _who, _band, state in pairs()] == ["DISTINCT"]
    assert not tell_apart(pair=MatchCandidate.objects.get(), by=somebody, now=now)
    row = AuditEntry.objects.get(purpose="telling_records_apart")
    assert set(row.patient_ids) == {one.pk, other.pk}
    assert (row.actor, row.action) == (somebody, Act.REVIEW)


def test_nothing_but_ids_stands_in_the_queue(
    clinic: Clinic, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        new = register_provisional(clinic=clinic, details=ADA)
    (task,) = [row.task for row in OrmQ.objects.all()]
    assert (task["func"], task["args"]) == ("patients.suggesting.suggest", ([str(new.pk)],))


def test_many_new_records_are_told_in_handfuls(
    db: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as queued:
        suggest_later(new_id() for _ in range(2 * AT_ONCE + 1))
    assert len(queued) == 3


def test_registering_asks_the_same_whether_or_not_the_person_is_on_file(
    clinic: Clinic, django_capture_on_commit_callbacks: Any
) -> None:
    def queries(details: Details) -> list[str]:
        with (
            CaptureQueriesContext(connection) as asked,
            django_capture_on_commit_callbacks(execute=True),
        ):
            register_provisional(clinic=clinic, details=details)
        return [query["sql"].split("VALUES")[0][:60] for query in asked.captured_queries]

    stranger = queries(replace(ADA, given_name="Zoe", email="zoe@mail.example", phone=""))
    register(clinic=clinic, details=ADA)
    assert queries(ADA) == stranger
