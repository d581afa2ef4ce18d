"""Two sides that differ: shown beside each other in words, and settled by a person who saw both."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from emr.kinds import ConflictKind
from emr.models import EMRConnection, SyncConflict
from patients.models import AuditEntry
from patients.models.audit import Act
from scheduling.models import Appointment
from scheduling.transitions import Status
from tests.emr.views.asking import cost, hidden
from tests.factories.emr_work import HOUR, conflict_of, standing_of


@pytest.fixture
def conflict(visit: Appointment, connection: EMRConnection) -> SyncConflict:
    return conflict_of(visit, connection)


def page_of(client: Client, conflict: SyncConflict) -> str:
    return client.get(reverse("emr:conflict", args=[conflict.pk])).content.decode()


def address(conflict: SyncConflict, side: str) -> str:
    return reverse("emr:settle", args=[conflict.pk, side])


def test_both_sides_and_what_was_agreed_stand_beside_each_other(
    desk: Client, conflict: SyncConflict
) -> None:
    page = page_of(desk, conflict).replace("\N{NO-BREAK SPACE}", " ")
    for words in ("9:30 am", "10:30 am", "8:30 am", "Dr. Amara Diallo", "Harbor EHR"):
        assert words in page
    assert page.count('class="compare-different"') == 2, "when it begins, and when it ends"


def test_a_side_that_does_not_have_the_visit_is_shown_empty(
    desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    gone = conflict_of(
        visit,
        connection,
        kind=ConflictKind.GONE.value,
        sides=json.dumps({"ours": standing_of(visit), "theirs": {}, "base": {}}),
    )
    page = page_of(desk, gone)
    assert "The visit is not there any more" in page
    assert page.count('data-label="Theirs">–<') == 4


def test_details_of_a_patient_are_compared_by_their_names(
    desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    sides = {
        "ours": {"phone": {"phone": "+12125550111", "phone_is_textable": True}},
        "theirs": {"phone": {"phone": "+12125550122", "phone_is_textable": True}},
    }
    found = conflict_of(
        visit,
        connection,
        appointment=None,
        kind=ConflictKind.DEMOGRAPHICS.value,
        sides=json.dumps(sides),
    )
    page = page_of(desk, found)
    assert "+12125550122" in page
    assert "phone_is_textable" not in page


@pytest.mark.parametrize(
    ("side", "words"),
    [("ours", "Harbor EHR is told"), ("theirs", "The visit here becomes")],
)
def test_what_a_choice_will_do_is_said_before_it_is_done(
    side: str, words: str, desk: Client, conflict: SyncConflict
) -> None:
    assert words in desk.get(address(conflict, side)).content.decode()
    conflict.refresh_from_db()
    assert conflict.closed_at is None


def test_theirs_is_taken_and_the_visit_moves(
    desk: Client, conflict: SyncConflict, visit: Appointment
) -> None:
    told = hidden(desk.get(address(conflict, "theirs")))
    answer = desk.post(address(conflict, "theirs"), told)
    assert answer.status_code == 302, answer.content.decode()
    before = visit.scheduled_start
    visit.refresh_from_db()
    assert visit.scheduled_start == before + HOUR
    conflict.refresh_from_db()
    assert conflict.resolution == "THEIRS"


def test_ours_is_kept_and_the_visit_stays(
    desk: Client, conflict: SyncConflict, visit: Appointment
) -> None:
    told = hidden(desk.get(address(conflict, "ours")))
    assert desk.post(address(conflict, "ours"), told).status_code == 302
    before = visit.scheduled_start
    visit.refresh_from_db()
    assert visit.scheduled_start == before
    conflict.refresh_from_db()
    assert conflict.resolution == "OURS"
    entry = AuditEntry.objects.get(object_pk=str(conflict.pk), action=Act.UPDATE)
    assert entry.changes["resolution"] == [None, "OURS"]
    assert entry.patient_ids == [visit.patient_id]


def test_a_page_that_is_out_of_date_settles_nothing(desk: Client, conflict: SyncConflict) -> None:
    told = hidden(desk.get(address(conflict, "theirs")))
    SyncConflict.objects.filter(pk=conflict.pk).update(version_id="3")
    answer = desk.post(address(conflict, "theirs"), told)
    assert answer.status_code == 409
    assert "Something changed meanwhile" in answer.content.decode()
    conflict.refresh_from_db()
    assert conflict.closed_at is None


def test_a_form_without_a_stamp_asks_again(desk: Client, conflict: SyncConflict) -> None:
    assert desk.post(address(conflict, "ours")).status_code == 400


def test_what_is_settled_is_not_settled_again(
    desk: Client, conflict: SyncConflict, now: Any
) -> None:
    SyncConflict.objects.filter(pk=conflict.pk).update(closed_at=now, resolution="OURS")
    answer = desk.get(address(conflict, "theirs"))
    assert answer.status_code == 302
    assert "Keep ours" not in page_of(desk, conflict)


def test_an_unknown_side_is_no_page(desk: Client, conflict: SyncConflict) -> None:
    assert desk.get(address(conflict, "both")).status_code == 404


def test_a_cancellation_of_theirs_says_that_the_time_becomes_free(
    desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    sides = {"ours": standing_of(visit), "theirs": standing_of(visit, status=Status.CANCELLED)}
    found = conflict_of(visit, connection, kind=ConflictKind.STATUS.value, sides=json.dumps(sides))
    assert "its time is free" in desk.get(address(found, "theirs")).content.decode()


def test_another_clinics_conflict_is_not_there(desk: Client, elsewhere: Appointment) -> None:
    there = EMRConnection.objects.get(clinic=elsewhere.clinic)
    found = conflict_of(elsewhere, there)
    assert desk.get(reverse("emr:conflict", args=[found.pk])).status_code == 404
    assert desk.post(address(found, "theirs")).status_code == 404
    assert "Both sides moved" not in desk.get(reverse("emr:conflicts")).content.decode()


def test_the_list_asks_as_much_for_ten_as_for_one(
    desk: Client, visit: Appointment, connection: EMRConnection
) -> None:
    conflict_of(visit, connection, resource_id="0")
    one = cost(desk, reverse("emr:conflicts"))
    for number in range(1, 10):
        conflict_of(visit, connection, resource_id=str(number))
    assert cost(desk, reverse("emr:conflicts")) == one
