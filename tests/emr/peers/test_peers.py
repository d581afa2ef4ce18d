"""The peers refuse what their vendors refuse: one that takes everything would prove nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.emr.peers import Fault, Peer, generic_peer
from tests.emr.peers.cast import SERVICE

JSON = {"Content-Type": "application/fhir+json"}
PATCH = {"Content-Type": "application/json-patch+json"}
START = datetime(2027, 1, 4, 15, tzinfo=UTC)
DAY = timedelta(days=1)


def ask(peer: Peer, method: str, path: str, **rest: Any) -> requests.Response:
    headers = {**JSON, **rest.pop("headers", {})}
    return requests.request(method, f"{peer.base_url}/{path}", headers=headers, timeout=5, **rest)


def appointment(peer: Peer, **rest: Any) -> dict[str, Any]:
    patient = {"actor": {"reference": f"Patient/{peer.add_patient()}"}, "status": "accepted"}
    return {
        "resourceType": "Appointment",
        "status": "booked",
        "start": "2027-01-04T15:00:00Z",
        "end": "2027-01-04T15:30:00Z",
        "participant": [patient],
    } | rest


class TestAGenericServer:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"status": "confirmed"},
            {"end": None},
            {"start": "2027-01-04T16:00:00Z"},
            {"start": "2027-01-04T15:00:00"},
            {"participant": []},
            {"participant": [{"status": "accepted"}]},
            {"cancelationReason": {"text": "ill"}},
            {"comment": ""},
            {"slot": [{"reference": "Slot/none"}]},
            {"id": ""},
        ],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_takes_no_appointment_that_breaks_a_rule_of_r4(
        self, generic: Peer, wrong: dict[str, Any]
    ) -> None:
        body = {
            name: value
            for name, value in appointment(generic, **wrong).items()
            if value is not None
        }
        answer = ask(generic, "POST", "Appointment", json=body)
        assert answer.status_code == 422
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert generic.appointments == []

    def test_a_right_one_is_kept_with_place_and_version(self, generic: Peer) -> None:
        answer = ask(generic, "POST", "Appointment", json=appointment(generic))
        assert answer.status_code == 201
        assert answer.headers["ETag"] == 'W/"1"'
        assert answer.headers["Location"].startswith(f"{generic.base_url}/Appointment/")

    def test_a_stale_put_is_refused(self, generic: Peer) -> None:
        made = ask(generic, "POST", "Appointment", json=appointment(generic)).json()
        path, fresh = f"Appointment/{made['id']}", made | {"comment": "moved"}
        assert ask(generic, "PUT", path, json=fresh, headers={"If-Match": 'W/"1"'}).ok
        stale = ask(generic, "PUT", path, json=fresh, headers={"If-Match": 'W/"1"'})
        assert stale.status_code == 412

    def test_a_condition_keeps_a_second_one_out_only_where_it_is_offered(self) -> None:
        number = [{"system": "urn:x", "value": "1"}]
        for offered, kept in ((True, 1), (False, 2)):
            with generic_peer(conditional_create=offered) as peer:
                for _time in range(2):
                    body = appointment(peer, identifier=number)
                    ask(
                        peer,
                        "POST",
                        "Appointment",
                        json=body,
                        headers={"If-None-Exist": "identifier=urn:x|1"},
                    )
                assert len(peer.appointments) == kept

    def test_a_search_parameter_that_it_does_not_know_is_refused(self, generic: Peer) -> None:
        assert ask(generic, "GET", "Appointment", params={"mood": "good"}).status_code == 400

    def test_pages_follow_each_other(self) -> None:
        with generic_peer(page_size=2) as peer:
            for _number in range(5):
                peer.add_patient()
            url, seen = f"{peer.base_url}/Patient?family=Moreno", []
            while url:
                bundle = requests.get(url, timeout=5).json()
                seen += [entry["resource"]["id"] for entry in bundle["entry"]]
                links = {link["relation"]: link["url"] for link in bundle["link"]}
                url = links.get("next", "")
            assert len(set(seen)) == 5

    def test_a_patch_with_a_test_of_the_version(self, generic: Peer) -> None:
        made = ask(generic, "POST", "Appointment", json=appointment(generic)).json()
        status = {"op": "replace", "path": "/status", "value": "arrived"}
        answers = [
            ask(
                generic,
                "PATCH",
                f"Appointment/{made['id']}",
                json=[{"op": "test", "path": "/meta/versionId", "value": version}, status],
                headers=PATCH,
            ).status_code
            for version in ("0", "1")
        ]
        assert answers == [412, 200]


@pytest.fixture
def slot(oracle: Peer) -> str:
    return oracle.add_slot(start=START, practitioner=oracle.add_practitioner())


def booking(peer: Peer, chosen: str, **rest: Any) -> dict[str, Any]:
    visit = {"slot": [{"reference": f"Slot/{chosen}"}], "start": None, "end": None}
    return {name: value for name, value in appointment(peer, **(visit | rest)).items() if value}


def booked(peer: Peer, slot: str) -> str:
    answer = ask(peer, "POST", "Appointment", json=booking(peer, slot))
    return answer.headers["Location"].rpartition("/")[2]


def replaced(peer: Peer, visit: str, path: str, value: Any, version: str = "1") -> int:
    operation = {"op": "replace", "path": path, "value": value}
    headers = PATCH | ({"If-Match": f'W/"{version}"'} if version else {})
    answer = ask(peer, "PATCH", f"Appointment/{visit}", json=[operation], headers=headers)
    return answer.status_code


class TestOracle:
    def test_a_booking_is_answered_with_nothing_but_where_it_is(
        self, oracle: Peer, slot: str
    ) -> None:
        times = {"start": "2027-01-09T15:00:00Z", "end": "2027-01-09T15:30:00Z"}
        answer = ask(oracle, "POST", "Appointment", json=booking(oracle, slot, **times))
        assert (answer.status_code, answer.content) == (201, b"")
        assert answer.headers["Content-Type"] == "text/html"
        [kept] = oracle.appointments
        assert kept["start"] == "2027-01-04T15:00:00Z"
        assert oracle.store.read("Slot", slot)["status"] == "busy"

    def test_identifiers_are_dropped(self, oracle: Peer, slot: str) -> None:
        number = [{"system": "urn:x", "value": "1"}]
        ask(oracle, "POST", "Appointment", json=booking(oracle, slot, identifier=number))
        assert "identifier" not in oracle.appointments[0]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"slot": []},
            {"comment": "x"},
            {"appointmentType": {"text": "x"}},
            {"status": "proposed"},
            {"reasonCode": [{"text": "x" * 256}]},
            {"reasonCode": [{"text": "a"}, {"text": "b"}]},
        ],
    )
    def test_takes_nothing_beside_one_slot_one_patient_and_a_reason(
        self, oracle: Peer, slot: str, wrong: dict[str, Any]
    ) -> None:
        answer = ask(oracle, "POST", "Appointment", json=booking(oracle, slot, **wrong))
        assert answer.status_code == 422
        assert oracle.appointments == []

    def test_takes_no_second_participant_and_no_type(self, oracle: Peer, slot: str) -> None:
        right = booking(oracle, slot)
        two = right | {"participant": right["participant"] * 2}
        typed = right["participant"][0] | {"type": [{"text": "patient"}]}
        for body in (two, right | {"participant": [typed]}):
            assert ask(oracle, "POST", "Appointment", json=body).status_code == 422

    def test_a_slot_is_given_once(self, oracle: Peer, slot: str) -> None:
        booked(oracle, slot)
        assert ask(oracle, "POST", "Appointment", json=booking(oracle, slot)).status_code == 409

    def test_a_change_needs_the_present_version(self, oracle: Peer, slot: str) -> None:
        visit = booked(oracle, slot)
        assert replaced(oracle, visit, "/status", "arrived", version="") == 412
        assert replaced(oracle, visit, "/status", "arrived", version="7") == 409
        assert replaced(oracle, visit, "/status", "arrived") == 200

    def test_who_has_it_open_there_locks_it(self, oracle: Peer, slot: str) -> None:
        visit = booked(oracle, slot)
        oracle.locked.add(visit)
        assert replaced(oracle, visit, "/status", "arrived") == 423

    @pytest.mark.parametrize("status", ["noshow", "fulfilled", "entered-in-error"])
    def test_a_booked_visit_cannot_become(self, oracle: Peer, slot: str, status: str) -> None:
        assert replaced(oracle, booked(oracle, slot), "/status", status) == 422

    def test_only_four_places_can_be_patched(self, oracle: Peer, slot: str) -> None:
        visit = booked(oracle, slot)
        assert replaced(oracle, visit, "/start", "2027-01-05T15:00:00Z") == 422

    def test_put_is_not_there(self, oracle: Peer, slot: str) -> None:
        visit = booked(oracle, slot)
        body = oracle.store.read("Appointment", visit)
        assert ask(oracle, "PUT", f"Appointment/{visit}", json=body).status_code == 405

    @pytest.mark.parametrize(
        "query",
        [
            "patient=1",
            "patient=1&date=ge2027-01-01",
            "patient=1&practitioner=2&date=ge2027-01-01&date=lt2027-01-02",
            "date=ge2027-01-01&date=lt2027-01-02",
            "identifier=1",
            "_lastUpdated=ge2027-01-01",
        ],
    )
    def test_a_search_of_visits_needs_one_person_and_a_closed_range(
        self, oracle: Peer, query: str
    ) -> None:
        assert ask(oracle, "GET", f"Appointment?{query}").status_code in {400, 422}

    def test_slots_are_searched_by_type_and_range_and_free_ones_alone_are_shown(
        self, oracle: Peer, slot: str
    ) -> None:
        span = "start=ge2027-01-04T00:00:00Z&start=lt2027-01-05T00:00:00Z"
        service = f"service-type={SERVICE[0]}|{SERVICE[1]}"
        assert ask(oracle, "GET", f"Slot?{span}").status_code == 422
        assert ask(oracle, "GET", f"Slot?{service}").status_code == 422
        assert ask(oracle, "GET", f"Slot?{service}&{span}").json()["total"] == 1
        booked(oracle, slot)
        assert ask(oracle, "GET", f"Slot?{service}&{span}").json()["total"] == 0

    def test_a_note_needs_a_time_and_a_practitioner(self, oracle: Peer) -> None:
        note = {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": {"contentType": "text/plain", "data": "YQ=="}}],
        }
        author = [{"reference": f"Practitioner/{oracle.add_practitioner()}"}]
        wrong = [note, note | {"author": author, "date": "2027-01-04"}]
        right = note | {"author": author, "date": "2027-01-04T16:00:00Z"}
        answers = [
            ask(oracle, "POST", "DocumentReference", json=one).status_code
            for one in (*wrong, right)
        ]
        assert answers == [422, 422, 201]


def parameters(**values: Any) -> dict[str, Any]:
    given = [{"name": name.replace("_", "-"), **value} for name, value in values.items()]
    return {"resourceType": "Parameters", "parameter": given}


def operate(peer: Peer, name: str, body: dict[str, Any]) -> requests.Response:
    url = f"{peer.scheduling_url}/Appointment/{name}"
    return requests.post(url, json=body, headers=JSON, timeout=5)


class TestEpic:
    @pytest.fixture
    def window(self, epic: Peer) -> dict[str, Any]:
        epic.add_slot(start=START, practitioner=epic.add_practitioner())
        return parameters(
            startTime={"valueDateTime": START.isoformat()},
            endTime={"valueDateTime": (START + DAY).isoformat()},
        )

    def test_r4_takes_no_appointment(self, epic: Peer) -> None:
        assert ask(epic, "POST", "Appointment", json=appointment(epic)).status_code == 405

    def test_what_was_found_can_be_booked_once(self, epic: Peer, window: dict[str, Any]) -> None:
        [entry, _outcome] = operate(epic, "$find", window).json()["entry"]
        assert entry["resource"]["status"] == "proposed"
        order = parameters(
            patient={"valueIdentifier": {"value": epic.add_patient()}},
            appointment={"valueIdentifier": {"value": entry["resource"]["id"]}},
        )
        answers = [operate(epic, "$book", order).status_code for _time in range(2)]
        assert answers == [200, 400]
        assert [one["status"] for one in epic.appointments] == ["booked"]

    def test_nothing_is_booked_that_was_not_found(self, epic: Peer, window: dict[str, Any]) -> None:
        order = parameters(
            patient={"valueIdentifier": {"value": epic.add_patient()}},
            appointment={"valueIdentifier": {"value": "proposed-1"}},
        )
        assert operate(epic, "$book", order).status_code == 400
        assert epic.appointments == []

    def test_the_window_is_needed_and_short(self, epic: Peer, window: dict[str, Any]) -> None:
        assert operate(epic, "$find", parameters()).status_code == 400
        window["parameter"][1]["valueDateTime"] = (START + 60 * DAY).isoformat()
        assert operate(epic, "$find", window).status_code == 400

    def test_too_many_patients_are_an_error_of_its_own(self, epic: Peer) -> None:
        for _number in range(101):
            epic.add_patient()
        answer = ask(epic, "GET", "Patient?family=Moreno")
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "4127"

    def test_a_guarded_chart_asks_why(self, epic: Peer) -> None:
        patient = epic.add_patient()
        epic.guarded.add(patient)
        assert ask(epic, "GET", f"Patient/{patient}").status_code == 403

    def test_visits_are_searched_by_patient(self, epic: Peer) -> None:
        assert ask(epic, "GET", "Appointment?date=ge2027-01-01").status_code == 400
        assert ask(epic, "GET", "Appointment?_lastUpdated=ge2027-01-01").status_code == 400


class TestTokens:
    @pytest.fixture
    def closed(self) -> Iterator[Peer]:
        with generic_peer(auth=True, client_id="us", client_secret="hush") as peer:
            yield peer

    def test_nothing_but_its_statement_is_read_without_one(self, closed: Peer) -> None:
        assert ask(closed, "GET", "metadata").ok
        assert ask(closed, "GET", "Patient").status_code == 401

    def test_the_secret_buys_one_until_it_is_revoked(self, closed: Peer) -> None:
        form = {"grant_type": "client_credentials", "scope": "system/Patient.rs"}
        wrong = requests.post(closed.token_url, data=form, auth=("us", "no"), timeout=5)
        right = requests.post(closed.token_url, data=form, auth=("us", "hush"), timeout=5)
        assert [wrong.status_code, right.status_code] == [401, 200]
        headers = {"Authorization": f"Bearer {right.json()['access_token']}"}
        assert ask(closed, "GET", "Patient", headers=headers).ok
        closed.authority.revoke_all()
        assert ask(closed, "GET", "Patient", headers=headers).status_code == 401
        assert [call.status for call in closed.tokens] == [401, 200]


class TestFaults:
    def test_what_is_reset_after_the_store_is_kept(self, generic: Peer) -> None:
        generic.fail(Fault.RESET_AFTER_STORE)
        with pytest.raises(requests.ConnectionError):
            ask(generic, "POST", "Appointment", json=appointment(generic))
        assert len(generic.appointments) == 1

    @pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.HANG(0.05)], ids=["reset", "hang"])
    def test_what_is_ended_before_is_not(self, generic: Peer, fault: Fault) -> None:
        generic.fail(fault)
        with pytest.raises(requests.ConnectionError):
            ask(generic, "POST", "Appointment", json=appointment(generic))
        assert generic.appointments == []

    def test_a_body_is_cut_off(self, generic: Peer) -> None:
        generic.fail(Fault.TRUNCATED)
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            ask(generic, "POST", "Appointment", json=appointment(generic))
        assert len(generic.appointments) == 1

    @pytest.mark.parametrize(
        ("fault", "status", "size"),
        [
            (Fault.STATUS(500), 500, None),
            (Fault.HTML_502, 502, None),
            (Fault.BIG_BODY, 200, 10 * 1024 * 1024),
            (Fault.EMPTY_406, 406, 0),
            (Fault.STALE(409), 409, None),
            (Fault.UNAUTHORIZED, 401, None),
            (Fault.RATE_LIMIT(2), 429, 0),
        ],
        ids=lambda value: value.how if isinstance(value, Fault) else "",
    )
    def test_the_next_request_alone_meets_with_it(
        self, generic: Peer, fault: Fault, status: int, size: int | None
    ) -> None:
        generic.fail(fault, on=("GET", "Patient"))
        answer = ask(generic, "GET", "Patient")
        assert answer.status_code == status
        assert size is None or len(answer.content) >= size
        assert ask(generic, "GET", "Patient").ok

    def test_when_to_come_back_is_said_in_either_form(self, generic: Peer) -> None:
        said = []
        for after in (3, START, None):
            generic.fail(Fault.RATE_LIMIT(after), on=("GET", "Patient"))
            said.append(ask(generic, "GET", "Patient").headers.get("Retry-After"))
        assert said == ["3", "Mon, 04 Jan 2027 15:00:00 GMT", None]

    def test_all_that_was_asked_is_written_down(self, generic: Peer) -> None:
        marker = uuid4().hex
        ask(generic, "GET", "Patient", params={"family": marker})
        [call] = generic.calls_to("GET", "Patient")
        assert call.query == {"family": [marker]}
        assert call.status == 200
