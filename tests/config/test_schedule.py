"""The periodic jobs are those of the list in code, no more and no fewer."""

from datetime import datetime, time, timedelta

import pytest
from django.core.management.sql import emit_post_migrate_signal
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import Schedule

from config import schedule
from patients.models import OneTimeCode
from providers.models import Provider, VisitType
from scheduling.models import SlotHold
from scheduling.tasks import sweep
from tests.factories import at, hold_of, next_monday

pytestmark = pytest.mark.django_db


def test_migrating_writes_the_jobs_and_removes_what_the_list_no_longer_has() -> None:
    Schedule.objects.create(name="forgotten", func="os.getpid")
    emit_post_migrate_signal(verbosity=0, interactive=False, db="default")
    assert set(Schedule.objects.values_list("name", flat=True)) == {j.name for j in schedule.JOBS}


def test_applying_again_leaves_the_next_run_where_it_was() -> None:
    schedule.apply()
    before = list(Schedule.objects.values_list("pk", "next_run"))
    schedule.apply()
    assert list(Schedule.objects.values_list("pk", "next_run")) == before


@pytest.mark.parametrize("job", schedule.JOBS, ids=lambda job: job.name)
def test_every_job_names_a_task_and_a_reason(job: schedule.Job) -> None:
    assert callable(import_string(job.task))
    assert job.reason


def test_the_sweep_removes_what_has_ended_and_nothing_else(
    provider: Provider, visit_type: VisitType, now: datetime
) -> None:
    ended = hold_of(
        provider,
        visit_type,
        at(next_monday(), "09:00"),
        holder="gone",
        now=now - timedelta(minutes=71),
    )
    live = hold_of(provider, visit_type, at(next_monday(), "10:00"))
    OneTimeCode.objects.create(
        purpose=OneTimeCode.Purpose.SIGN_IN,
        contact_index=b"1",
        browser_digest=b"2",
        code_digest=b"3",
        expires_at=now - timedelta(days=2),
    )
    assert sweep() == {
        "holds": 1,
        "keys": 0,
        "links": 0,
        "codes": 1,
        "tries": 0,
        "sign_ins": 0,
    }
    assert list(SlotHold.objects.all()) == [live]
    assert ended != live


def test_a_job_with_a_time_of_day_first_runs_at_that_time_within_a_day(now: datetime) -> None:
    schedule.apply()
    row = Schedule.objects.get(name="warm availability")
    assert row.next_run.time() == time(8)
    assert now < row.next_run <= timezone.now() + timedelta(days=1)


def test_a_job_that_has_slipped_to_another_time_of_day_is_put_back() -> None:
    schedule.apply()
    rows = Schedule.objects.filter(name="warm availability")
    before = rows.get().next_run
    rows.update(next_run=before + timedelta(minutes=1))
    schedule.apply()
    assert rows.get().next_run == before
    rows.update(next_run=before - timedelta(days=3))
    schedule.apply()
    assert rows.get().next_run == before - timedelta(days=3)
