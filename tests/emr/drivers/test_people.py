"""Who may be a patient of ours at the other side, and who surely is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from emr.drivers.base import Driver
from emr.drivers.opening import opened
from emr.drivers.people import CROWD
from emr.failures import NotFound, NotOffered, TryLater, Unsure
from emr.outbox import candidates as reading
from emr.outbox.certainty import certain
from providers.models import Clinic
from tests.emr.drivers.scenes import MRN, person
from tests.emr.peers import Fault, Peer, epic_peer, generic_peer, oracle_peer
from tests.factories.emr import connection_to

pytestmark = pytest.mark.django_db

Asked = tuple[Peer, Driver]


@pytest.fixture
def asked(clinic: Clinic) -> Iterator[Asked]:
    """A server without `$match`."""
    with (
        generic_peer(patient_match=False) as peer,
        opened(connection_to(peer, clinic)) as driver,
    ):
        yield peer, driver


@pytest.fixture
def matching(generic: Peer, clinic: Clinic) -> Iterator[Asked]:
    with opened(connection_to(generic, clinic)) as driver:
        yield generic, driver


def looked_for(driver: Driver, **known: Any) -> tuple[list[str], str | None]:
    """Return who may be the person, and who the outbox takes it to be."""
    wanted = person(**known)
    found = driver.find_patient(wanted)
    told = [reading.told(one, source="urn:record-system") for one in found]
    return [one.remote_id for one in found], certain(reading.ours(wanted), told)


def test_a_record_number_is_asked_for_first_and_is_enough(asked: Asked) -> None:
    peer, driver = asked
    peer.add_patient()
    wanted = peer.add_patient(identifiers=[(MRN, "42")])
    assert looked_for(driver, identifiers=((MRN, "42"),)) == ([wanted], wanted)
    (call,) = peer.calls_to("GET", "Patient")
    assert call.query["identifier"] == [f"{MRN}|42"]


def test_a_record_number_of_somebody_else_is_a_candidate_alone(asked: Asked) -> None:
    peer, driver = asked
    wrong = peer.add_patient(
        identifiers=[(MRN, "42")], given="Bo", family="Other", dob=date(1950, 1, 1)
    )
    assert looked_for(driver, identifiers=((MRN, "42"),)) == ([wrong], None)


def test_a_name_and_a_birthday_are_searched_and_are_not_enough(asked: Asked) -> None:
    peer, driver = asked
    wanted = peer.add_patient()
    assert looked_for(driver, given="Ada Maria") == ([wanted], None)
    (call,) = peer.calls_to("GET", "Patient")
    assert (call.query["family"], call.query["given"]) == (["Moreno"], ["Ada"])
    assert call.query["birthdate"] == ["1984-02-29"]


def test_name_birthday_and_insurance_id_are_enough(asked: Asked) -> None:
    peer, driver = asked
    wanted = peer.add_patient(member_id="W1234")
    assert looked_for(driver, member_id="W1234") == ([wanted], wanted)
    assert looked_for(driver, member_id="W9999") == ([wanted], None)
    assert peer.calls_to("GET", "Coverage") == []


def coverage_of(patient: str, number: str) -> dict[str, Any]:
    return {
        "resourceType": "Coverage",
        "status": "active",
        "subscriberId": number,
        "beneficiary": {"reference": f"Patient/{patient}"},
        "payor": [{"display": "Acme"}],
    }


def test_an_insurance_id_may_stand_in_a_coverage(asked: Asked) -> None:
    peer, driver = asked
    wanted = peer.add_patient()
    peer.add(coverage_of(wanted, "W1234"))
    assert looked_for(driver, member_id="W1234") == ([wanted], wanted)
    assert looked_for(driver, member_id="W9999") == ([wanted], None)
    asked_for = len(peer.calls_to("GET", "Coverage"))
    assert looked_for(driver) == ([wanted], None)
    assert len(peer.calls_to("GET", "Coverage")) == asked_for == 2


def test_the_coverages_of_a_few_alone_are_read(asked: Asked) -> None:
    peer, driver = asked
    for _turn in range(6):
        peer.add_patient()
    found, sure = looked_for(driver, member_id="W1234")
    assert (len(found), sure) == (6, None)
    assert peer.calls_to("GET", "Coverage") == []


def test_nobody_is_nobody(asked: Asked) -> None:
    peer, driver = asked
    peer.add_patient(family="Somebody")
    assert driver.find_patient(person()) == []


def test_a_merged_record_tells_whom_it_was_joined_into(asked: Asked) -> None:
    peer, driver = asked
    survivor = peer.add_patient(family="Moreno-Diaz")
    merged = peer.add_patient(replaced_by=survivor, identifiers=[(MRN, "42")])
    (candidate,) = driver.find_patient(person(identifiers=((MRN, "42"),)))
    assert (candidate.remote_id, candidate.replaced_by) == (merged, survivor)
    assert driver.read_patient(merged).replaced_by == survivor
    assert driver.read_patient(survivor).replaced_by == ""


def test_a_merged_record_beside_its_survivor_is_left_out(asked: Asked) -> None:
    peer, driver = asked
    survivor = peer.add_patient(member_id="W1234")
    peer.add_patient(replaced_by=survivor, member_id="W1234")
    assert looked_for(driver, member_id="W1234") == ([survivor], survivor)


def test_a_match_keeps_the_score_and_the_grade(matching: Asked) -> None:
    peer, driver = matching
    wanted = peer.add_patient(phone="5550100")
    (found,) = driver.find_patient(person(phone="5550100"))
    assert (found.remote_id, found.score, found.is_certain) == (wanted, 0.95, True)
    (call,) = peer.calls_to("POST", "$match")
    given = {one["name"]: one for one in call.body["parameter"]}
    assert given["onlyCertainMatches"]["valueBoolean"] is False


def test_a_match_that_is_only_probable_is_not_certain(matching: Asked) -> None:
    peer, driver = matching
    peer.add_patient()
    (candidate,) = driver.find_patient(person())
    assert (candidate.score, candidate.is_certain) == (0.8, False)


def test_a_match_may_be_asked_twice_and_is_tried_later(matching: Asked) -> None:
    peer, driver = matching
    peer.fail(Fault.RESET_AFTER_STORE, on=("POST", "$match"))
    with pytest.raises(TryLater):
        driver.find_patient(person())


def test_more_than_epic_tells_is_a_crowd(clinic: Clinic) -> None:
    with epic_peer(patient_match=False) as peer, opened(connection_to(peer, clinic)) as driver:
        for _turn in range(101):
            peer.add_patient()
        assert driver.find_patient(person()) == [CROWD]
        assert not CROWD.is_certain


def test_more_than_oracle_tells_is_a_crowd(clinic: Clinic) -> None:
    with oracle_peer() as peer, opened(connection_to(peer, clinic)) as driver:
        for _turn in range(1001):
            peer.add_patient()
        assert driver.find_patient(person()) == [CROWD]


def test_a_new_patient_is_made_with_what_we_know(matching: Asked) -> None:
    peer, driver = matching
    made = driver.create_patient(person(member_id="W1234", phone="+12125550100"))
    there = peer.store.read("Patient", made.remote_id)
    assert (there["name"][0]["family"], there["birthDate"]) == ("Moreno", "1984-02-29")
    assert looked_for(driver, member_id="W1234") == ([made.remote_id], made.remote_id)


def test_a_new_patient_with_a_number_is_made_once(matching: Asked) -> None:
    peer, driver = matching
    ada = person(identifiers=((MRN, "A&B 7"),))
    peer.fail(Fault.RESET_AFTER_STORE, on=("POST", "Patient"))
    with pytest.raises(Unsure):
        driver.create_patient(ada)
    made = driver.create_patient(ada)
    assert [one["id"] for one in peer.store.all("Patient")] == [made.remote_id]


def test_oracles_empty_answer_names_the_new_patient(clinic: Clinic) -> None:
    with oracle_peer() as peer, opened(connection_to(peer, clinic)) as driver:
        made = driver.create_patient(person())
        assert [one["id"] for one in peer.store.all("Patient")] == [made.remote_id]


def test_names_with_commas_and_bars_are_searched_as_they_are(asked: Asked) -> None:
    peer, driver = asked
    driver.find_patient(person(family="O'Neil, Jr|x"))
    assert peer.calls_to("GET", "Patient")[0].query["family"] == ["O'Neil\\, Jr\\|x"]


def test_a_server_without_patients_is_not_asked_for_any(clinic: Clinic) -> None:
    offers = {"Location": frozenset({"read"}), "Practitioner": frozenset({"read"})}
    with (
        generic_peer(offers=offers, patient_match=False) as peer,
        opened(connection_to(peer, clinic)) as driver,
    ):
        with pytest.raises(NotOffered):
            driver.find_patient(person())
        with pytest.raises(NotOffered):
            driver.create_patient(person())


def test_reading_nobody_is_not_found(asked: Asked) -> None:
    with pytest.raises(NotFound):
        asked[1].read_patient("nobody")
