"""What the portal needs of a plain R4 server: against a peer, or a real one named by environment.

EMR_PEER_BASE is its FHIR address; EMR_PEER_CLIENT_ID with EMR_PEER_KEY (a private JWK, or a file
that holds one) or EMR_PEER_CLIENT_SECRET says who we are. What is made there is called off again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from emr.drivers.base import Driver, Feature
from emr.drivers.opening import opened
from emr.failures import Clash, NotFound
from emr.fhir.location import location
from emr.fhir.practitioner_out import practitioner
from emr.kinds import Algorithm, Auth
from emr.models import EMRConnection, SigningKey
from emr.smart import tokens
from emr.transport import Transport
from emr.visits import Known, Party, Person, Remote, Visit
from providers.models import Clinic
from scheduling.transitions import Status
from tests.emr.peers import generic_peer
from tests.factories.emr import EMRConnectionFactory

pytestmark = pytest.mark.django_db
HALF_HOUR = timedelta(minutes=30)
PUBLIC = ("kty", "kid", "n", "e", "crv", "x", "y")
SCOPES = [
    f"system/{kind}.{rights}"
    for kind in ("Patient", "Practitioner", "Location", "Appointment")
    for rights in ("read", "write")
]


@pytest.fixture(params=["a peer", "a real server"])
def connection(request: pytest.FixtureRequest, clinic: Clinic) -> Iterator[EMRConnection]:
    base = os.environ.get("EMR_PEER_BASE", "")
    if request.param == "a peer":
        with generic_peer() as peer:
            yield EMRConnectionFactory.create(clinic=clinic, base_url=peer.base_url)
    elif base:
        request.getfixturevalue("real_network")
        yield _to_real(clinic, base.rstrip("/"))
    else:
        pytest.skip("EMR_PEER_BASE names no real server")


@pytest.fixture
def real_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only here may a test leave this machine, and only because somebody said where to."""
    monkeypatch.undo()


def _to_real(clinic: Clinic, base: str) -> EMRConnection:
    secret, key = os.environ.get("EMR_PEER_CLIENT_SECRET", ""), os.environ.get("EMR_PEER_KEY", "")
    columns: dict[str, Any] = {"client_id": os.environ.get("EMR_PEER_CLIENT_ID", "")}
    if key:
        columns |= {"auth": Auth.PRIVATE_KEY.value, "algorithm": _kept(key).algorithm}
    elif secret:
        columns |= {"auth": Auth.CLIENT_SECRET.value, "client_secret": secret}
    return EMRConnectionFactory.create(
        clinic=clinic,
        base_url=base,
        scopes=os.environ.get("EMR_PEER_SCOPES", " ".join(SCOPES)).split(),
        timeout_seconds=30,
        rate_per_second=5,
        burst=5,
        **columns,
    )


def _kept(key: str) -> SigningKey:
    """Keep the key that the real server knows us by."""
    is_text = key.lstrip().startswith("{")
    text = key if is_text else Path(key).read_text(encoding="utf-8")
    private = json.loads(text)
    algorithm = Algorithm.RS384 if private["kty"] == "RSA" else Algorithm.ES384
    public = {name: private[name] for name in PUBLIC if name in private}
    return SigningKey.objects.create(
        kid=private["kid"],
        algorithm=algorithm.value,
        public=public,
        private=text,
        signs_from=timezone.now(),
    )


@dataclass
class There:
    """A driver, and the people of this test at the other side."""

    driver: Driver
    person: Person
    visit: Visit

    def known(self, remote: Remote) -> Known:
        return Known(remote.remote_id, remote.version_id)


@pytest.fixture
def there(connection: EMRConnection) -> Iterator[There]:
    with opened(connection) as driver:
        person = _person()
        patient = driver.create_patient(person).remote_id
        visit = _visit(patient, *_people(connection))
        there = There(driver, person, visit)
        yield there
        found = driver.find(visit, since=visit.created_at)
        if found is not None and found.status == "booked":
            driver.cancel(_cancelled(visit), there.known(found))


def _people(connection: EMRConnection) -> tuple[str, str]:
    """Make a practitioner and a place there."""
    transport = Transport(
        connection.base_url, timeout=connection.timeout_seconds, tokens=tokens.source(connection)
    )
    made = [
        transport.request("POST", one["resourceType"], json=one)
        for one in (practitioner(name="Dr. Contract Test"), location(name="Contract test"))
    ]
    transport.close()
    return str(made[0].body["id"]), str(made[1].body["id"])


def _person() -> Person:
    family = f"Contract{uuid4().hex[:10]}"
    return Person(id=uuid4(), given="Testa", family=family, dob=date(1980, 2, 29), sex="female")


def _visit(patient: str, doctor: str, place: str) -> Visit:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=30)
    now = timezone.now()
    return Visit(
        id=uuid4(),
        reference="CONTRACT",
        status=Status.SCHEDULED,
        start=start,
        end=start + HALF_HOUR,
        patient=Party(remote_id=patient),
        provider=Party(remote_id=doctor),
        place=Party(remote_id=place),
        type_code="FOLLOW_UP",
        type_label="Follow-up",
        changed_at=now,
        created_at=now,
    )


def _cancelled(visit: Visit) -> Visit:
    return replace(visit, status=Status.CANCELLED, cancel_code="OTHER", cancel_reason="Test")


def test_it_can_do_what_a_portal_needs(there: There) -> None:
    needed = {Feature.BOOK, Feature.CANCEL, Feature.READ, Feature.SEARCH, Feature.FIND_PATIENT}
    assert needed <= there.driver.features


def test_a_patient_is_found_again_by_name_and_birthday(there: There) -> None:
    found = there.driver.find_patient(there.person)
    assert there.visit.patient.remote_id in {one.remote_id for one in found}


def test_nobody_is_surely_somebody_unknown(there: There) -> None:
    found = there.driver.find_patient(_person())
    assert not [one for one in found if one.is_certain]


def test_a_visit_is_booked_and_reads_as_it_was_told(there: There) -> None:
    booked = there.driver.book(there.visit)
    read = there.driver.read(booked.remote_id)
    assert (read.status, read.start, read.end) == ("booked", there.visit.start, there.visit.end)
    assert read.patient_id == there.visit.patient.remote_id
    assert there.visit.provider.remote_id in read.provider_ids
    assert read.version_id == booked.version_id != ""


def test_what_was_booked_is_found_by_our_number(there: There) -> None:
    assert there.driver.find(there.visit, since=there.visit.created_at) is None
    booked = there.driver.book(there.visit)
    found = there.driver.find(there.visit, since=there.visit.created_at)
    assert found is not None
    assert found.remote_id == booked.remote_id


def test_a_visit_asked_for_twice_is_made_once(there: There) -> None:
    if Feature.CONDITIONAL_CREATE not in there.driver.features:
        pytest.skip("the server takes no conditional create")
    first, second = there.driver.book(there.visit), there.driver.book(there.visit)
    assert first.remote_id == second.remote_id


def test_it_is_moved_and_called_off(there: There) -> None:
    booked = there.driver.book(there.visit)
    later = replace(
        there.visit, start=there.visit.start + HALF_HOUR, end=there.visit.end + HALF_HOUR
    )
    moved = there.driver.reschedule(later, there.known(booked))
    assert there.driver.read(moved.remote_id).start == later.start
    ended = there.driver.cancel(_cancelled(later), there.known(moved))
    assert there.driver.read(ended.remote_id).status == "cancelled"


def test_nothing_is_written_over_a_change_of_theirs(there: There) -> None:
    booked = there.driver.book(there.visit)
    later = replace(
        there.visit, start=there.visit.start + HALF_HOUR, end=there.visit.end + HALF_HOUR
    )
    there.driver.reschedule(later, there.known(booked))
    with pytest.raises(Clash):
        there.driver.reschedule(replace(later, end=later.end + HALF_HOUR), there.known(booked))


def test_a_providers_day_has_the_visit(there: There) -> None:
    booked = there.driver.book(there.visit)
    start = there.visit.start - timedelta(hours=6)
    doctor = there.visit.provider.remote_id
    day = there.driver.visits_between(start, start + timedelta(days=1), provider_id=doctor)
    assert [one.remote_id for one in day] == [booked.remote_id]


def test_what_is_not_there_is_not_found(there: There) -> None:
    with pytest.raises(NotFound):
        there.driver.read(uuid4().hex)
