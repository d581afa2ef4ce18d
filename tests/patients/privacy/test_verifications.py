"""A verification is asked for on a page, done by the worker, and its finding is kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from patients import tasks, verdicts
from patients.models import AuditSeal, AuditVerification
from patients.privacy import verifications
from patients.privacy.anchor import AnchorAhead
from patients.tampering import Kind
from providers.models import Clinic, Role
from tests.patients.privacy.staff_sign_in import member
from tests.patients.sealing import as_owner, ask, empty, settle, write_rows


@pytest.fixture(autouse=True)
def _anchor(settings: Any, tmp_path: Any) -> None:
    settings.AUDIT_ANCHOR = str(tmp_path / "anchor")


@pytest.fixture
def sealed(transactional_db: None) -> int:
    """Rows that were sealed; the id of the first."""
    write_rows(5)
    settle()
    tasks.seal_audit()
    return AuditSeal.objects.get().first_id


@pytest.fixture
def damaged(sealed: int) -> int:
    with as_owner(keeping=True):
        ask("UPDATE patients_auditentry SET role = 'x' WHERE id = %s", [sealed])
    return sealed


def asked() -> AuditVerification:
    return verifications.ask(by=None, now=timezone.now())


def test_the_worker_seals_and_says_how_much(transactional_db: None) -> None:
    write_rows(5)
    settle()
    assert tasks.seal_audit() == {"seals": 1, "rows": 5}


def test_the_worker_leaves_sealing_to_a_process_of_its_own(
    transactional_db: None, settings: Any
) -> None:
    settings.AUDIT_SEALED_BY_WORKER = False
    settings.AUDIT_SEAL_KEY = ""
    write_rows(1)
    assert tasks.seal_audit() == {}


def test_the_worker_fails_loudly_where_the_anchor_knows_more(sealed: int) -> None:
    empty()
    write_rows(1)
    settle()
    with pytest.raises(AnchorAhead):
        tasks.seal_audit()


def test_the_finding_of_a_whole_record_is_kept(sealed: int) -> None:
    """The queue runs its tasks at once in tests, so the answer is there when it was asked for."""
    found = AuditVerification.objects.get(pk=asked().pk)
    assert found.is_intact is True
    assert (found.rows, found.seals, found.damage) == (5, 1, "")
    assert len(found.head) == 64
    assert verdicts.told(found).kind == "success"


def test_damage_is_kept_told_and_logged(damaged: int, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        found = AuditVerification.objects.get(pk=asked().pk)
    assert found.is_intact is False
    assert (found.damage, found.bad_row, found.bad_seal) == ("CHANGED", damaged, 1)
    assert verdicts.told(found).text == f"Row {damaged} was changed after it was sealed."
    assert [record.message for record in caplog.records] == ["audit.damaged"]


def test_what_cannot_be_verified_is_neither_whole_nor_altered(sealed: int, settings: Any) -> None:
    settings.AUDIT_ANCHOR = ""
    found = AuditVerification.objects.get(pk=asked().pk)
    assert found.is_intact is None
    assert found.done_at
    assert verdicts.told(found).kind == "warning"


@pytest.mark.django_db
def test_one_verification_at_a_time_and_a_killed_one_blocks_for_ten_minutes_only() -> None:
    first = asked()
    assert asked().pk == first.pk
    later = timezone.now() + timedelta(minutes=11)
    assert verifications.ask(by=None, now=later).pk != first.pk


@pytest.mark.django_db
def test_a_task_that_runs_twice_answers_once(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        request = asked()
    done = AuditVerification.objects.get(pk=request.pk).done_at
    assert done
    tasks.verify_audit(str(request.pk))
    assert AuditVerification.objects.get(pk=request.pk).done_at == done


@pytest.mark.django_db
def test_the_day_asks_for_one_by_itself() -> None:
    tasks.verify_daily()
    assert AuditVerification.objects.get().asked_by is None


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_damage_has_words_for_the_officer(kind: Kind) -> None:
    found = AuditVerification(is_intact=False, damage=kind.name, bad_row=70, bad_seal=8)
    said = verdicts.damage(found)
    assert ("70" in said) != ("8" in said)


@pytest.fixture
def officer(clinic: Clinic, client: Client) -> Iterator[Client]:
    client.force_login(member(clinic, Role.PRIVACY_OFFICER, first_name="Ines", last_name="Olsen"))
    yield client


@pytest.mark.django_db
def test_the_page_before_the_first_verification_offers_one(officer: Client) -> None:
    answer = officer.get(reverse("privacy:chain"))
    assert answer.status_code == 200
    assert "has not been verified yet" in answer.content.decode()
    assert "Verify now" in answer.content.decode()


@pytest.mark.django_db
def test_the_page_says_that_one_is_under_way(officer: Client) -> None:
    assert officer.post(reverse("privacy:chain")).status_code == 302
    said = officer.get(reverse("privacy:chain")).content.decode()
    assert "Checking the record now" in said
    assert "Verify now" not in said


def test_the_officer_asks_and_reads_the_verdict(sealed: int, officer: Client) -> None:
    answer = officer.post(reverse("privacy:chain"), follow=True)
    said = answer.content.decode()
    assert "Nothing was altered" in said
    assert "Ines Olsen" in said
    assert AuditSeal.objects.get().head().digest().hex() in said


def test_the_officer_reads_of_damage_and_whom_to_call(damaged: int, officer: Client) -> None:
    said = officer.post(reverse("privacy:chain"), follow=True).content.decode()
    assert "The record was altered" in said
    assert f"Row {damaged} was changed" in said
    assert "Call whoever runs your server" in said


@pytest.mark.django_db
def test_nobody_but_a_privacy_officer_finds_the_page(clinic: Clinic, client: Client) -> None:
    for role in (Role.RECEPTIONIST, Role.PROVIDER, Role.CLINIC_ADMIN):
        client.force_login(member(clinic, role))
        assert client.get(reverse("privacy:chain")).status_code == 404
        assert client.post(reverse("privacy:chain")).status_code == 404
    assert not AuditVerification.objects.exists()


@pytest.mark.django_db
def test_the_page_costs_the_same_however_many_verdicts_there_are(
    officer: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        AuditVerification.objects.create(done_at=timezone.now(), is_intact=True, rows=3)
    officer.get(reverse("privacy:chain"))
    with django_assert_max_num_queries(14):
        officer.get(reverse("privacy:chain"))


def test_the_schedule_names_both_tasks() -> None:
    assert import_string("patients.tasks.seal_audit") is tasks.seal_audit
    assert import_string("patients.tasks.verify_daily") is tasks.verify_daily
