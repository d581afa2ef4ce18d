"""Two requests at once out of one hold book one visit for one person."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from patients import codes
from patients.models import Patient
from patients.registration import Details
from providers.models import Provider, VisitType
from scheduling import checkout
from scheduling.actors import Actor
from scheduling.drafts import LONGEST, Draft
from scheduling.errors import HoldExpired
from scheduling.models import Appointment, SlotHold
from tests.factories import at, hold_of, next_monday
from tests.journeys.portal_booking import code_in_mail

BROWSER = "0f" * 32
ROSA = Details(
    given_name="Rosa",
    family_name="Delgado",
    dob=date(1961, 4, 7),
    email="rosa@mail.example",
    phone="+12125550147",
)


@pytest.fixture
def hold(provider: Provider, visit_type: VisitType) -> SlotHold:
    cache.clear()
    return hold_of(provider, visit_type, at(next_monday(), "09:00"), holder=BROWSER)


def finish_in_a_thread(hold: SlotHold, code: str) -> Appointment:
    now = timezone.now()
    try:
        proved = checkout.prove(hold, code=code, details=ROSA, now=now)
        return checkout.finish(proved, reason="", by=Actor.patient(), now=now)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_two_equal_requests_at_once_book_one_visit_and_answer_the_same(
    hold: SlotHold, _round: int
) -> None:
    checkout.ask_for_code(hold, email=ROSA.email, network="", now=timezone.now())
    code = code_in_mail()
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(finish_in_a_thread, hold, code) for _request in range(4)]
    refused = [future.exception() for future in futures if future.exception()]
    booked = {future.result().pk for future in futures if not future.exception()}
    assert [type(error) for error in refused] == [HoldExpired] * len(refused)
    assert booked == {Appointment.objects.get().pk}
    assert Patient.objects.count() == 1
    kept = checkout.booked_from(hold.pk, browser=BROWSER, now=timezone.now())
    assert kept == Appointment.objects.get()


@pytest.mark.django_db(transaction=True)
def test_a_wrong_try_counts_although_it_is_refused(hold: SlotHold) -> None:
    checkout.ask_for_code(hold, email=ROSA.email, network="", now=timezone.now())
    code = code_in_mail().replace(" ", "")
    wrong = str((int(code) + 1) % 10**8).zfill(8)
    for refusal in [codes.WrongCode] * 4 + [codes.CodeEnded] * 2:
        with pytest.raises(refusal):
            checkout.prove(hold, code=wrong, details=ROSA, now=timezone.now())
    with pytest.raises(codes.CodeEnded):
        checkout.prove(hold, code=code, details=ROSA, now=timezone.now())
    assert not Patient.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_code_proves_only_the_address_it_was_sent_to(hold: SlotHold) -> None:
    checkout.ask_for_code(hold, email=ROSA.email, network="", now=timezone.now())
    other = replace(ROSA, email="other@mail.example")
    with pytest.raises(codes.CodeEnded):
        checkout.prove(hold, code=code_in_mail(), details=other, now=timezone.now())
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_nobody_is_booked_who_is_not_known(hold: SlotHold) -> None:
    with pytest.raises(ValueError, match="for somebody"):
        checkout.finish(hold, reason="", by=Actor.patient(), now=timezone.now())
    assert not Appointment.objects.exists()


@pytest.mark.django_db
def test_a_draft_of_a_hold_that_is_gone_is_refused(hold: SlotHold) -> None:
    SlotHold.objects.filter(pk=hold.pk)._raw_delete("default")
    with pytest.raises(HoldExpired):
        checkout.write(hold, Draft(typed={"given_name": "Rosa"}))


def test_a_draft_comes_back_as_it_was_and_nothing_grows_without_end() -> None:
    draft = Draft(choices={"who": "me"}, code="c")
    draft.type({"reason": "x" * (LONGEST + 1), "given_name": "\x00é"})
    again = Draft.load(draft.dump())
    assert again == draft
    assert len(again.typed["reason"]) == LONGEST
    assert Draft.load("") == Draft()
