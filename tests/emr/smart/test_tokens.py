"""One token for all who want one, renewed in time, dropped when refused, and never told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database

from emr.failures import EMRError, Refused, TryLater, Unauthorized
from emr.kinds import Algorithm, Auth
from emr.models import EMRConnection, SigningKey
from emr.smart import keys, tokens
from emr.smart.tokens import Shelf, Token
from emr.transport import Transport
from providers.models import Clinic
from tests.emr.peers import Peer, generic_peer
from tests.emr.raw_server import raw_server, says, sends
from tests.factories.emr import EMRConnectionFactory

CALLERS = 20
SECRET = "s3cret: of/the+house"


def connected(peer: Peer, clinic: Clinic, **columns: Any) -> EMRConnection:
    defaults: dict[str, Any] = {
        "base_url": peer.base_url,
        "token_url": peer.authority.token_url,
        "auth": Auth.PRIVATE_KEY.value,
        "client_id": peer.authority.client_id,
        "scopes": ["system/Patient.rs", "system/Appointment.read"],
    }
    return EMRConnectionFactory.create(clinic=clinic, **(defaults | columns))


def asking(connection: EMRConnection) -> Transport:
    return Transport(connection.base_url, timeout=5, tokens=tokens.source(connection))


def all_at_once(act: Callable[[], Any], times: int = CALLERS) -> list[Any]:
    """Do something in as many threads as times, begun together."""
    gate = threading.Barrier(times)

    def one() -> Any:
        gate.wait(timeout=10)
        try:
            return act()
        finally:
            database.close()

    with ThreadPoolExecutor(times) as pool:
        return [future.result(timeout=30) for future in [pool.submit(one) for _ in range(times)]]


def jwks_of(now: datetime) -> Any:
    return keys.published(now=now)


@pytest.mark.django_db(transaction=True)
def test_twenty_requests_at_once_make_one_token_call(clinic: Clinic, key: SigningKey) -> None:
    with generic_peer(auth=True, jwks={"keys": [key.public]}, delay=0.3) as peer:
        patient = peer.add_patient()
        connection = connected(peer, clinic)
        transport = asking(connection)
        replies = all_at_once(lambda: transport.request("GET", f"Patient/{patient}"))

        assert [reply.status for reply in replies] == [200] * CALLERS
        assert len(peer.tokens) == 1
        (call,) = peer.tokens
        assert call.form["scope"] == "system/Patient.rs system/Appointment.read"
        assert call.claims["exp"] <= call.at + 300


@pytest.mark.django_db(transaction=True)
def test_tokens_that_are_refused_in_the_middle_of_it_make_one_more_call(
    clinic: Clinic, key: SigningKey
) -> None:
    with generic_peer(auth=True, jwks={"keys": [key.public]}, delay=0.1) as peer:
        patient = peer.add_patient()
        transport = asking(connected(peer, clinic))
        for _ in range(3):
            transport.request("GET", f"Patient/{patient}")
        peer.authority.revoke_all()
        replies = all_at_once(lambda: transport.request("GET", f"Patient/{patient}"))

        assert [reply.status for reply in replies] == [200] * CALLERS
        assert len(peer.tokens) == 2
        assert len({call.claims["jti"] for call in peer.tokens}) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_every_call_is_signed_anew_with_the_algorithm_of_the_connection(
    clinic: Clinic, now: datetime, algorithm: Algorithm
) -> None:
    keys.new_key(algorithm, signs_from=now, now=now)
    with generic_peer(auth=True, jwks=jwks_of(now)) as peer:
        connection = connected(peer, clinic, algorithm=algorithm.value)
        for _ in range(3):
            tokens.fetched(connection)

        assert {call.header["alg"] for call in peer.tokens} == {algorithm.value}
        assert len({call.claims["jti"] for call in peer.tokens}) == 3
        assert all(call.status == 200 for call in peer.tokens)


@pytest.mark.django_db
def test_a_secret_goes_by_basic_and_not_in_the_form(clinic: Clinic) -> None:
    with generic_peer(auth=True, client_secret=SECRET) as peer:
        patient = peer.add_patient()
        connection = connected(peer, clinic, auth=Auth.CLIENT_SECRET.value, client_secret=SECRET)
        assert asking(connection).request("GET", f"Patient/{patient}").status == 200
        assert peer.tokens[0].form.keys() == {"grant_type", "scope"}


@pytest.mark.django_db
def test_keys_change_without_a_refused_call_where_the_other_side_keeps_the_list(
    clinic: Clinic, now: datetime, live_server: Any
) -> None:
    """The peer fetches the list again only for a key that it does not know."""
    old = keys.new_key(Algorithm.ES384, signs_from=now - timedelta(hours=1), now=now)
    with generic_peer(auth=True, jwks_url=f"{live_server.url}/emr/jwks.json") as peer:
        connection = connected(peer, clinic)
        tokens.fetched(connection)
        new = keys.new_key(Algorithm.ES384, signs_from=now + timedelta(hours=24), now=now)
        tokens.fetched(connection)
        SigningKey.objects.filter(pk=new.pk).update(signs_from=now)  # a day later
        tokens.fetched(connection)
        keys.retire(old.kid, now=now + timedelta(seconds=1))
        tokens.fetched(connection)

        assert [call.header["kid"] for call in peer.tokens] == [old.kid, old.kid, new.kid, new.kid]
        assert [call.status for call in peer.tokens] == [200] * 4


@pytest.mark.django_db
def test_wrong_credentials_are_for_people_and_asked_once_by_each_request(
    clinic: Clinic, key: SigningKey
) -> None:
    with generic_peer(auth=True, jwks={"keys": [key.public]}) as peer:
        transport = asking(connected(peer, clinic, client_id="somebody else"))
        with pytest.raises(Unauthorized):
            transport.request("GET", "Patient/1")
        assert len(peer.tokens) == 1
        assert peer.calls == []


@pytest.mark.django_db
def test_without_a_key_nobody_is_asked(clinic: Clinic) -> None:
    with generic_peer(auth=True) as peer:
        with pytest.raises(Unauthorized, match="no-signing-key"):
            tokens.source(connected(peer, clinic)).header()
        assert peer.tokens == []


@pytest.mark.django_db
def test_a_server_without_tokens_is_sent_none(clinic: Clinic) -> None:
    with generic_peer() as peer:
        patient = peer.add_patient()
        asking(connected(peer, clinic, auth=Auth.NONE.value)).request("GET", f"Patient/{patient}")
        assert "authorization" not in {name.lower() for name in peer.calls[0].headers}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error": "invalid_client"}', Unauthorized),
        (401, b'{"error": "invalid_client"}', Unauthorized),
        (403, b'{"error": "unauthorized_client"}', Unauthorized),
        (400, b'{"error": "invalid_scope"}', Refused),
        (429, b"", TryLater),
        (500, b"<html>", TryLater),
        (200, b"<html>", TryLater),
        (200, b"", TryLater),
        (200, b"{}", Refused),
        (200, b'{"access_token": "a\\nX-Other: b"}', Refused),
        (200, b'{"access_token": 7}', Refused),
        (200, b'{"access_token": "a", "token_type": "mac"}', Refused),
    ],
)
def test_a_token_endpoint_that_fails_leaves_nothing_in_doubt(
    clinic: Clinic, key: SigningKey, status: int, body: bytes, kind: type[EMRError]
) -> None:
    with raw_server(sends(says(status, body, kind="application/json"))) as server:
        connection = EMRConnectionFactory.create(
            clinic=clinic, auth=Auth.PRIVATE_KEY.value, client_id="a", token_url=server.base_url
        )
        with pytest.raises(EMRError) as caught:
            tokens.source(connection).header()
    assert type(caught.value) is kind


@pytest.mark.django_db
def test_no_line_of_any_log_has_a_token_a_signature_a_secret_or_a_name(
    clinic: Clinic, key: SigningKey, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        generic_peer(auth=True, jwks={"keys": [key.public]}, client_secret=SECRET) as peer,
    ):
        patient = peer.add_patient(family="Lovelace", given="Ada")
        signing = connected(peer, clinic)
        telling = connected(peer, clinic, auth=Auth.CLIENT_SECRET.value, client_secret=SECRET)
        told = ""
        for connection in (signing, telling):
            source = tokens.source(connection)
            transport = Transport(connection.base_url, timeout=5, tokens=source)
            transport.request("GET", f"Patient/{patient}")
            transport.request("GET", "Patient", params={"family": "Lovelace"})
            transport.request("POST", "Patient", json={"resourceType": "Patient"})
            peer.authority.revoke_all()
            told += repr(source) + repr(transport.request("GET", f"Patient/{patient}"))
            told += repr(source.shelf.held)  # type: ignore[attr-defined]
        secrets = [call.form["client_assertion"] for call in peer.tokens if "scope" in call.form
                   and "client_assertion" in call.form]  # fmt: skip
        secrets += [call.headers["authorization"].split()[-1] for call in peer.calls]
    written = caplog.text + told
    assert len(peer.tokens) == 4
    assert len(set(secrets)) >= 6
    for secret in {*secrets, SECRET, "Lovelace", keys.private_jwk(key)["d"]}:
        assert secret not in written


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_renewed_at_four_fifths_of_its_life() -> None:
    clock, shelf, made = Clock(), None, []
    shelf = Shelf(clock)

    def fetch() -> Token:
        made.append(clock.now)
        return Token(f"Bearer {len(made)}", clock.now + 80, clock.now + 100)

    assert shelf.header(fetch) == "Bearer 1"
    clock.now += 79
    assert shelf.header(fetch) == "Bearer 1"
    clock.now += 1
    assert shelf.header(fetch) == "Bearer 2"


def test_while_one_renews_the_others_go_on_with_the_old_one() -> None:
    clock = Clock()
    shelf = Shelf(clock)
    asked, go = threading.Event(), threading.Event()
    shelf.header(lambda: Token("Bearer old", clock.now + 80, clock.now + 100))
    clock.now += 90

    def slow() -> Token:
        asked.set()
        go.wait(10)
        return Token("Bearer new", clock.now + 80, clock.now + 100)

    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(shelf.header, slow)
        asked.wait(10)
        assert shelf.header(slow) == "Bearer old"
        go.set()
        assert renewing.result(10) == "Bearer new"
    assert shelf.header(slow) == "Bearer new"


def test_an_old_token_outlasts_a_renewal_that_failed_while_it_is_good() -> None:
    clock = Clock()
    shelf = Shelf(clock)
    shelf.header(lambda: Token("Bearer old", clock.now + 80, clock.now + 100))

    def failing() -> Token:
        raise TryLater("503")

    clock.now += 90
    assert shelf.header(failing) == "Bearer old"
    clock.now += 10
    with pytest.raises(TryLater):
        shelf.header(failing)


def test_a_refused_token_is_dropped_once_and_a_newer_one_stays() -> None:
    shelf = Shelf()
    far = time.monotonic() + 100
    shelf.header(lambda: Token("Bearer 1", far, far))
    shelf.drop("Bearer 1")
    assert shelf.header(lambda: Token("Bearer 2", far, far)) == "Bearer 2"
    shelf.drop("Bearer 1")
    assert shelf.header(lambda: Token("Bearer 3", far, far)) == "Bearer 2"


def test_all_who_wait_hear_of_a_failure_and_the_next_one_asks_again() -> None:
    shelf, calls = Shelf(), []

    def failing() -> Token:
        calls.append(1)
        time.sleep(0.3)
        raise Unauthorized("401")

    def try_once() -> str:
        try:
            return shelf.header(failing)
        except Unauthorized:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        found = [future.result(10) for future in [pool.submit(try_once) for _ in range(8)]]
    assert found == ["refused"] * 8
    assert len(calls) == 1
    assert try_once() == "refused"
    assert len(calls) == 2


@pytest.mark.django_db
def test_connections_with_other_scopes_or_clients_share_no_token(
    connection: EMRConnection,
) -> None:
    shelves = set()
    for columns in ({}, {"scopes": ["system/Slot.read"]}, {"client_id": "x"}):
        for name, value in columns.items():
            setattr(connection, name, value)
        shelves.add(id(tokens.source(connection).shelf))  # type: ignore[attr-defined]
    assert len(shelves) == 3
