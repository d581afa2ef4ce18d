"""Subscriptions: set up once at servers that offer them, with a secret that they then show."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from emr.failures import NotOffered
from emr.inbox.subscribing import CRITERIA, endpoint_of, subscribe
from emr.models import InboundMessage
from providers.models import Clinic
from tests.emr.inbox.conftest import Joined
from tests.emr.peers import Fault, Peer
from tests.factories.emr import connection_to


def test_each_criteria_is_subscribed_to_once(joined: Joined) -> None:
    assert subscribe(joined.connection).new == CRITERIA
    again = subscribe(joined.connection)
    assert (again.new, again.known) == ((), CRITERIA)
    there = joined.peer.store.all("Subscription")
    assert [one["criteria"] for one in there] == list(CRITERIA)
    assert {one["channel"]["endpoint"] for one in there} == {endpoint_of(joined.connection)}


def test_one_that_was_switched_off_there_is_asked_for_again(joined: Joined) -> None:
    subscribe(joined.connection)
    for one in joined.peer.store.all("Subscription"):
        joined.peer.change("Subscription", one["id"], status="off")
    assert subscribe(joined.connection).new == CRITERIA


def test_a_connection_without_a_secret_is_given_one_that_opens_its_door(
    joined: Joined, client: Client
) -> None:
    joined.connection.hook_secret = ""
    joined.connection.save()
    subscribe(joined.connection)
    header = joined.peer.store.all("Subscription")[0]["channel"]["header"][0]
    name, _colon, value = header.partition(": ")
    body = json.dumps({"resourceType": "Appointment", "id": "a1"})
    address = endpoint_of(joined.connection).partition("/hooks/")[2]
    answer = client.post(
        f"/hooks/{address}", body, content_type="application/json", headers={name: value}
    )
    assert (answer.status_code, InboundMessage.objects.count()) == (200, 1)


def test_a_server_that_offers_none_is_left_alone(clinic: Clinic, oracle: Peer) -> None:
    connection = connection_to(oracle, clinic)
    with pytest.raises(NotOffered):
        subscribe(connection)
    out = StringIO()
    call_command("emr_subscribe", stdout=out)
    assert "offers no subscriptions" in out.getvalue()


def test_the_command_says_what_it_did_and_fails_where_one_did_not_answer(
    joined: Joined,
) -> None:
    out = StringIO()
    call_command("emr_subscribe", joined.connection.name, stdout=out)
    assert f"{joined.connection.name}: new: Appointment?" in out.getvalue()
    joined.peer.fail(Fault.STATUS(500), times=9, on=("GET", "Subscription"))
    with pytest.raises(CommandError, match="Not subscribed"):
        call_command("emr_subscribe", stderr=StringIO())
    with pytest.raises(CommandError, match="no such"):
        call_command("emr_subscribe", "Nobody's")
