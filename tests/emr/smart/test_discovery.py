"""What a server says of itself is asked once a day, kept in its own shape, and a change noticed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from emr import tasks
from emr.failures import EMRError, NotFound, Refused, TryLater
from emr.kinds import Vendor
from emr.models import ConnectionState, EMRConnection
from emr.smart import discovery, tokens
from providers.models import Clinic
from tests.emr.raw_server import Act, RawServer, raw_server, resets, says, sends
from tests.factories.emr import EMRConnectionFactory

pytestmark = pytest.mark.django_db
DAY = timedelta(hours=24)
MISSING = sends(says(404, b"<html>", kind="text/html"))
URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


def capability(version: str = "4.0.1", **more: Any) -> dict[str, Any]:
    resource = {
        "type": "Appointment",
        "documentation": "x" * 400,
        "interaction": [{"code": "read", "documentation": "no"}, {"code": "create"}],
        "searchParam": [{"name": "date", "type": "date"}],
        "operation": [{"name": "find", "definition": "http://there/find"}],
        "conditionalCreate": True,
        "conditionalUpdate": False,
    }
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": version,
        "software": {"name": "There", "version": "7"},
        "contact": [{"name": "Ada Lovelace"}],
        "rest": [{"mode": "server", "resource": [resource]}],
    } | more


def saying(*said: Any) -> list[Act]:
    """Return what answers each request with one of these objects, in order."""
    return [one if callable(one) else sends(says(200, json.dumps(one).encode())) for one in said]


def connection_to(server: RawServer, clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(clinic=clinic, base_url=server.base_url, timeout_seconds=2)


def found(clinic: Clinic, now: datetime, *said: Any) -> ConnectionState:
    with raw_server(*saying(*said)) as server:
        return discovery.discover(connection_to(server, clinic), now=now)


def test_it_asks_for_both_statements_without_a_token(clinic: Clinic, now: datetime) -> None:
    with raw_server(*saying(capability(), {})) as server:
        discovery.discover(connection_to(server, clinic), now=now)
        first, second = server.asked
    assert first.startswith(b"GET /r4/metadata HTTP/1.1")
    assert second.startswith(b"GET /r4/.well-known/smart-configuration HTTP/1.1")
    assert b"Authorization" not in first + second


def test_what_is_kept_has_the_shape_of_fhir_and_little_of_its_size(
    clinic: Clinic, now: datetime
) -> None:
    kept = found(clinic, now, capability(), {}).capability
    assert kept["fhirVersion"] == "4.0.1"
    assert kept["rest"][0]["resource"] == [
        {
            "type": "Appointment",
            "versioning": "",
            "interaction": [{"code": "read"}, {"code": "create"}],
            "searchParam": [{"name": "date"}],
            "operation": [{"name": "find"}],
            "conditionalCreate": True,
        }
    ]
    assert "Lovelace" not in json.dumps(kept)


def test_it_is_asked_once_a_day(clinic: Clinic, now: datetime) -> None:
    with raw_server(*saying(capability(), {}, capability(), {})) as server:
        connection = connection_to(server, clinic)
        for hours in (0, 1, 23):
            discovery.discover(connection, now=now + timedelta(hours=hours))
        assert len(server.asked) == 2
        discovery.discover(connection, now=now + DAY)
        assert len(server.asked) == 4


def test_a_change_is_noted_with_its_time_and_sameness_is_not(clinic: Clinic, now: datetime) -> None:
    other = capability(software={"name": "There", "version": "8"})
    with raw_server(*saying(capability(), {}, capability(), {}, other, {})) as server:
        connection = connection_to(server, clinic)
        states = [discovery.discover(connection, now=now + days * DAY) for days in range(3)]
    assert [state.changed_at for state in states] == [None, None, now + 2 * DAY]
    assert bytes(states[0].discovered_digest) != bytes(states[2].discovered_digest)


def test_an_endpoint_elsewhere_is_taken_where_the_server_itself_names_it(
    clinic: Clinic, now: datetime
) -> None:
    said = {"token_endpoint": "https://login.example/token", "scopes_supported": ["openid"]}
    kept = found(clinic, now, capability(), said).smart
    assert kept == said


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example/token",
        "javascript:alert(1)",
        "https://user@login.example/",
        "//login.example",
        7,
        "",
    ],
)
def test_an_endpoint_without_tls_elsewhere_is_left_out(
    clinic: Clinic, now: datetime, address: Any
) -> None:
    kept = found(clinic, now, capability(), {"token_endpoint": address}).smart
    assert "token_endpoint" not in kept


def test_the_older_extension_names_endpoints_where_there_is_no_configuration(
    clinic: Clinic, now: datetime
) -> None:
    inner = [{"url": "token", "valueUri": "https://login.example/token"}]
    security = {"security": {"extension": [{"url": URIS, "extension": inner}]}}
    kept = found(clinic, now, capability(rest=[security]), MISSING).smart
    assert kept == {"token_endpoint": "https://login.example/token"}


def test_a_server_may_have_no_configuration_at_all(clinic: Clinic, now: datetime) -> None:
    assert found(clinic, now, capability(), MISSING).smart == {}


@pytest.mark.parametrize("version", ["5.0.0", "3.0.2", "4.3.0", "", None])
def test_another_release_is_refused_even_after_the_right_one(
    clinic: Clinic, now: datetime, version: Any
) -> None:
    with raw_server(*saying(capability(), {}, capability(version))) as server:
        connection = connection_to(server, clinic)
        discovery.discover(connection, now=now)
        with pytest.raises(Refused, match="fhir-version"):
            discovery.discover(connection, now=now + DAY)
    assert ConnectionState.objects.get(connection=connection).capability["fhirVersion"] == "4.0.1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (MISSING, NotFound),
        (resets, TryLater),
        ({"resourceType": "OperationOutcome"}, Refused),
        ({"resourceType": "CapabilityStatement", "fhirVersion": "4.0" + "x" * 600}, Refused),
        (sends(says(200, b"<html>", kind="text/html")), TryLater),
    ],
)
def test_what_was_never_heard_is_a_failure(
    clinic: Clinic, now: datetime, said: Any, kind: type[EMRError]
) -> None:
    with raw_server(*saying(said)) as server:
        connection = connection_to(server, clinic)
        with pytest.raises(kind):
            discovery.discover(connection, now=now)
    assert not ConnectionState.objects.filter(connection=connection).exists()


@pytest.mark.parametrize("said", [MISSING, resets])
def test_while_a_server_is_silent_its_last_word_counts(
    clinic: Clinic, now: datetime, said: Act
) -> None:
    with raw_server(*saying(capability(), {}, said)) as server:
        connection = connection_to(server, clinic)
        discovery.discover(connection, now=now)
        state = discovery.discover(connection, now=now + DAY)
        assert (state.discovered_at, state.capability["fhirVersion"]) == (now, "4.0.1")
        with pytest.raises(EMRError):
            discovery.refresh(connection, now=now + DAY)


def test_drivers_ask_for_the_capability_alone(clinic: Clinic) -> None:
    with raw_server(*saying(capability(), {})) as server:
        connection = connection_to(server, clinic)
        assert discovery.capability(connection)["software"]["version"] == "7"


def test_a_set_up_token_address_needs_no_discovery(connection: EMRConnection) -> None:
    assert tokens.token_url(connection) == "http://127.0.0.1:9/token"


def test_without_one_the_servers_own_is_used_and_none_is_a_refusal(
    clinic: Clinic, now: datetime
) -> None:
    named = {"token_endpoint": "https://login.example/token"}
    with raw_server(*saying(capability(), named, capability(), {})) as server:
        assert tokens.token_url(connection_to(server, clinic)) == named["token_endpoint"]
        with pytest.raises(Refused, match="no-token-endpoint"):
            tokens.token_url(connection_to(server, clinic))


def test_the_daily_task_asks_all_and_one_that_fails_keeps_none_from_it(clinic: Clinic) -> None:
    with raw_server(*saying(capability(), {})) as server:
        away = EMRConnectionFactory.create(clinic=clinic, base_url="http://127.0.0.1:9/a")
        here = connection_to(server, clinic)
        EMRConnectionFactory.create(clinic=clinic, base_url=server.base_url, is_active=False)
        EMRConnectionFactory.create(
            clinic=clinic, vendor=Vendor.HL7V2.value, hl7_host="127.0.0.1", hl7_port=9, base_url=""
        )
        assert tasks.discover() == {"answered": 1, "failed": 1}
    assert ConnectionState.objects.get(connection=here).discovered_at is not None
    assert ConnectionState.objects.get(connection=away).failures == 1
