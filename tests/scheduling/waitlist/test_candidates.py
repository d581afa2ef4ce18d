"""Who could be offered freed time, in which order, and why or why not."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scheduling.actors import Actor
from scheduling.models import Opening, WaitlistEntry
from scheduling.waitlist import claims
from scheduling.waitlist.candidates import Match, matches
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    PatientFactory,
    ProviderFactory,
    VisitTypeFactory,
)
from tests.factories.waitlist import offer_of
from tests.scheduling.waitlist.scene import DAY, HOUR, Scene, monday, wednesday

pytestmark = pytest.mark.django_db


def found(scene: Scene, gap: Opening, **more: Any) -> list[WaitlistEntry]:
    return [match.entry for match in matches(gap, now=scene.now, **more)]


def only(scene: Scene, gap: Opening, **more: Any) -> Match:
    (match,) = matches(gap, now=scene.now, **more)
    return match


def test_those_who_wait_for_the_provider_or_for_anybody_of_the_specialty(scene: Scene) -> None:
    gap, provider = scene.gap(), scene.provider
    theirs = scene.waits()
    anybody = scene.waits(provider=None, specialty=provider.specialty, clinic=scene.clinic)
    colleague = ProviderFactory.create(
        clinic=scene.clinic, specialty=provider.specialty, working=True
    )
    scene.waits(provider=colleague)
    other = ProviderFactory.create(clinic=scene.clinic)
    scene.waits(provider=None, specialty=other.specialty, clinic=scene.clinic)
    elsewhere = ClinicFactory.create()
    scene.waits(provider=None, specialty=provider.specialty, clinic=elsewhere)
    assert found(scene, gap) == [theirs, anybody]


@pytest.mark.parametrize("status", ["PAUSED", "BOOKED", "LEFT", "EXPIRED"])
def test_nobody_who_does_not_wait(scene: Scene, status: str) -> None:
    gap = scene.gap()
    scene.waits(status=status)
    assert found(scene, gap, all_=True) == []


def test_no_record_that_was_joined_into_another(scene: Scene) -> None:
    gap = scene.gap()
    entry = scene.waits()
    entry.patient.merged_into = PatientFactory.create(clinic=scene.clinic)
    entry.patient.save()
    assert found(scene, gap, all_=True) == []


@pytest.mark.parametrize(
    ("wish", "fits"),
    [
        ({"earliest_desired_date": wednesday("10:00").date()}, True),
        ({"earliest_desired_date": wednesday("10:00").date() + DAY}, False),
        ({"latest_date": wednesday("10:00").date()}, True),
        ({"latest_date": wednesday("10:00").date() - DAY}, False),
        ({"weekdays": [2]}, True),
        ({"weekdays": [0, 1]}, False),
        ({"after_time": time(10)}, True),
        ({"after_time": time(10, 1)}, False),
        ({"before_time": time(10, 30)}, True),
        ({"before_time": time(10, 29)}, False),
        ({"minimum_notice_minutes": 49 * 60}, True),
        ({"minimum_notice_minutes": 49 * 60 + 1}, False),
    ],
)
def test_only_what_they_wish(scene: Scene, wish: dict[str, Any], *, fits: bool) -> None:
    gap = scene.gap()
    wish = {"earliest_desired_date": monday("09:00").date()} | wish
    entry = scene.waits(**wish)
    assert found(scene, gap) == ([entry] if fits else [])


def test_each_gets_the_first_place_that_they_would_take(scene: Scene) -> None:
    gap = scene.gap("10:00", minutes=120)
    scene.waits(after_time="11:00")
    entry = scene.waits()
    entry.refresh_from_db()
    starts = [match.placement.start for match in matches(gap, now=scene.now)]
    assert starts == [wednesday("11:00"), wednesday("10:00")]


def test_nobody_is_offered_the_hour_of_their_own_visit(scene: Scene) -> None:
    gap = scene.gap("10:00", minutes=60)
    entry = scene.waits()
    AppointmentFactory.create(
        patient=entry.patient, provider__clinic=scene.clinic, start=wednesday("10:00")
    )
    assert only(scene, gap).placement.start == wednesday("10:30")


def test_sooner_than_the_visit_it_replaces_or_not_at_all(scene: Scene) -> None:
    patient = PatientFactory.create(clinic=scene.clinic)
    visit = AppointmentFactory.create(
        patient=patient, provider=scene.provider, start=wednesday("14:00")
    )
    scene.waits(patient=patient, replaces=visit)
    assert only(scene, scene.gap("10:00")).placement.start == wednesday("10:00")
    assert found(scene, scene.gap("15:00"), all_=True) == []


def test_a_visit_that_began_is_replaced_by_none(scene: Scene) -> None:
    patient = PatientFactory.create(clinic=scene.clinic)
    visit = AppointmentFactory.create(
        patient=patient, provider=scene.provider, start=wednesday("14:00")
    )
    scene.waits(patient=patient, replaces=visit)
    gap = scene.gap("13:00", minutes=120)
    scene.clock.set(wednesday("14:00"))
    assert found(scene, gap, all_=True) == []


def test_new_patients_only_where_they_are_taken(scene: Scene) -> None:
    gap = scene.gap()
    scene.waits()
    known = scene.waits(is_existing_patient=True)
    scene.provider.accepts_new_patients = False
    scene.provider.save()
    assert found(scene, Opening.objects.get(pk=gap.pk)) == [known]


def test_by_video_where_their_own_visit_does_not_fit(scene: Scene) -> None:
    long = VisitTypeFactory.create(minutes=120)
    video = VisitTypeFactory.create(minutes=20, is_telehealth=True)
    scene.provider.offers_telehealth = True
    scene.provider.save()
    gap = scene.gap()
    for clock in ("09:30", "10:30"):
        AppointmentFactory.create(provider=scene.provider, start=wednesday(clock))
    scene.waits(visit_type=long)
    entry = scene.waits(visit_type=long, telehealth_acceptable=True)
    match = only(scene, gap)
    assert (match.entry, match.placement.visit_type) == (entry, video)


def test_ranks_and_reasons_are_those_of_the_rule(scene: Scene) -> None:
    scene.provider.languages = ["en", "es-US"]
    scene.provider.save()
    gap = scene.gap()
    scene.waits(created_at=scene.now - 23 * DAY, before_time=time(12))
    speaker = scene.waits(urgency="URGENT", is_existing_patient=True, weekdays=[2])
    speaker.patient.language = "es"
    speaker.patient.save()
    first, second = matches(gap, now=scene.now)
    assert [first.rank, second.rank] == [1, 2]
    assert first.reasons == [
        ["URGENT"],
        ["EXISTING"],
        ["WAITS", 4],
        ["SAME_TYPE"],
        ["PROVIDER"],
        ["WEEKDAY", 2],
        ["LANGUAGE"],
    ]
    assert second.reasons == [["WAITS", 23], ["SAME_TYPE"], ["PROVIDER"], ["MORNINGS"]]


def test_the_last_moment_is_the_longer_of_two_notices(scene: Scene) -> None:
    gap = scene.gap()
    scene.waits(minimum_notice_minutes=60)
    scene.waits(minimum_notice_minutes=600)
    short, long = matches(gap, now=scene.now)
    assert short.last_moment == wednesday("06:00")
    assert long.last_moment == wednesday("00:00")


def test_why_somebody_cannot_be_told_now(scene: Scene) -> None:
    gap = scene.gap()
    busy, unreached, woken = scene.waits(), scene.waits(), scene.waits()
    offer_of(busy, scene.gap("12:00"), made_at=scene.now, expires_at=scene.now + HOUR)
    unreached.patient.email = ""
    unreached.patient.save()
    scene.clock.set(monday("22:00"))
    reasons = {match.entry: match.why_not for match in matches(gap, now=scene.now, all_=True)}
    assert reasons == {busy: "OFFERED_ELSEWHERE", unreached: "NO_WAY", woken: "QUIET"}
    assert found(scene, gap) == [busy, woken]
    ranks = [match.rank for match in matches(gap, now=scene.now)]
    assert ranks == [1, 3]


def test_the_desk_sees_those_too_who_had_an_offer_of_it_or_want_more_notice(scene: Scene) -> None:
    gap = scene.gap()
    had, hasty = scene.waits(), scene.waits(minimum_notice_minutes=72 * 60)
    scene.run()
    claims.decline(offer=gap.offers.get(), by=Actor.patient(), now=scene.now)
    seen = {m.entry: (m.why_not, m.rank) for m in matches(gap, now=scene.now, all_=True)}
    assert seen == {had: ("DECLINED", 0), hasty: ("NOTICE", 1)}
    assert found(scene, gap) == []


def test_one_patient_is_asked_once_however_often_they_wait(scene: Scene) -> None:
    gap = scene.gap()
    entry = scene.waits()
    scene.waits(patient=entry.patient, visit_type=VisitTypeFactory.create())
    other = scene.waits()
    scene.run()
    claims.decline(offer=gap.offers.get(), by=Actor.patient(), now=scene.now)
    assert found(scene, gap) == [other]


def test_as_many_statements_for_many_as_for_one(scene: Scene) -> None:
    gap = scene.gap()

    def statements() -> int:
        opening = Opening.objects.select_related("provider", "clinic").get(pk=gap.pk)
        with CaptureQueriesContext(connection) as queries:
            matches(opening, now=scene.now)
        return len(queries)

    scene.waits()
    statements()  # what is read once and kept in the process
    one = statements()
    for number in range(12):
        scene.waits(visit_type=VisitTypeFactory.create(minutes=10 + number))
    assert statements() == one < 20
