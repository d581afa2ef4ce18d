"""A provider opens the portal from the record system, and nobody else does."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey

from emr.kinds import Algorithm, Auth
from emr.models import EMRConnection, SigningKey
from emr.smart import pending
from patients.models import AuditEntry, Patient
from patients.models.audit import Act, Outcome
from providers.models import Clinic, Membership, Provider, Role, VisitType
from tests.emr.smart.authority import CLIENT, STRANGERS_KEY, Authority, authority
from tests.factories import ClinicFactory, ProviderFactory, UserFactory
from tests.factories.emr import EMRConnectionFactory, link_to
from tests.factories.scheduling import AppointmentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in]


@pytest.fixture
def there() -> Iterator[Authority]:
    with authority() as running:
        yield running


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = "http://testserver"


@pytest.fixture
def connection(clinic: Clinic, there: Authority) -> EMRConnection:
    return EMRConnectionFactory.create(
        clinic=clinic, base_url=there.base_url, launch_client_id=CLIENT, timeout_seconds=2
    )


@pytest.fixture
def doctor(provider: Provider, connection: EMRConnection) -> User:
    """A provider of the clinic, linked to the practitioner there."""
    assert provider.user
    Membership.objects.get_or_create(
        user=provider.user, clinic=connection.clinic, role=Role.PROVIDER
    )
    link_to(connection, provider, "Practitioner", "p-1")
    return provider.user


def launched(client: Client, connection: EMRConnection, **asked: str) -> Any:
    query = {"iss": connection.base_url, "launch": "abc"} | asked
    return client.get(f"/emr/launch/{connection.pk}/", query)


def come_back(client: Client, answer: Any, **changed: str) -> Any:
    """Let the browser sign in at the record system, and come back with what it says."""
    assert answer.status_code == 302
    there = requests.get(answer["Location"], allow_redirects=False, timeout=5)
    assert there.status_code == 302
    back = urlsplit(there.headers["Location"])
    return client.get(back.path, dict(parse_qsl(back.query)) | changed)


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refused(answer: Any, client: Client, status: int = 403) -> bool:
    """Whether it is the one page for all who are not let in, and the record has it."""
    assert answer.status_code == status
    assert "could not be signed in" in answer.content.decode()
    assert not signed_in(client)
    denied = AuditEntry.objects.filter(purpose="emr_launch", outcome=Outcome.DENIED)
    return bool(denied.count() == 1)


def test_a_linked_provider_comes_in_at_their_own_day(
    client: Client, connection: EMRConnection, doctor: User, there: Authority
) -> None:
    answer = come_back(client, launched(client, connection))

    assert (answer.status_code, answer["Location"]) == (302, "/provider/")
    assert int(client.session["_auth_user_id"]) == doctor.pk
    asked = dict(there.asked[2][1])
    assert (asked["scope"], asked["launch"]) == ("launch openid fhirUser", "abc")
    entries = AuditEntry.objects.filter(action=Act.SIGN_IN, outcome=Outcome.DONE)
    assert {entry.purpose for entry in entries} == {"emr_launch", "sign_in"}


def test_the_second_factor_is_asked_for_as_ever(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    come_back(client, launched(client, connection))
    answer = client.get("/provider/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/second-step/")


def test_who_has_a_second_factor_shows_it_before_they_are_in(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    from allauth.mfa.totp.internal.auth import TOTP

    TOTP.activate(doctor, "JBSWY3DPEHPK3PXP")
    answer = come_back(client, launched(client, connection))
    assert answer["Location"].startswith("/accounts/second-step/code/")
    assert not signed_in(client)


def test_one_comes_by_oneself_without_a_launch(
    client: Client, connection: EMRConnection, doctor: User, there: Authority
) -> None:
    answer = come_back(client, client.get(f"/emr/standalone/{connection.pk}/"))
    assert answer["Location"] == "/provider/"
    asked = dict(there.asked[2][1])
    assert asked["scope"] == "openid fhirUser"
    assert "launch" not in asked


def test_a_provider_who_is_not_linked_is_known_by_the_npi(
    client: Client, connection: EMRConnection, doctor: User, provider: Provider, there: Authority
) -> None:
    there.practitioner, there.npi = "p-2", provider.npi_number or ""
    come_back(client, launched(client, connection))
    assert int(client.session["_auth_user_id"]) == doctor.pk


@pytest.mark.parametrize("npi", ["", "1234567893"])
def test_an_npi_of_nobody_here_opens_nothing(
    client: Client, connection: EMRConnection, doctor: User, there: Authority, npi: str
) -> None:
    there.practitioner, there.npi = "p-2", npi
    assert refused(come_back(client, launched(client, connection)), client)


def test_the_patient_who_is_open_there_is_opened_here(
    client: Client, connection: EMRConnection, doctor: User, provider: Provider,
    patient: Patient, visit_type: VisitType, there: Authority,
) -> None:  # fmt: skip
    visit = AppointmentFactory.create(
        provider=provider, patient=patient, visit_type=visit_type, clinic=connection.clinic
    )
    link_to(connection, patient, "Patient", "pat-7")
    there.patient = "pat-7"
    answer = come_back(client, launched(client, connection))
    assert answer["Location"] == f"/provider/visit/{visit.pk}/"


@pytest.mark.parametrize("remote", ["pat-7", "pat-8"])
def test_another_providers_patient_is_not_opened(
    client: Client, connection: EMRConnection, doctor: User, patient: Patient,
    visit_type: VisitType, there: Authority, remote: str,
) -> None:  # fmt: skip
    other = ProviderFactory.create(clinic=connection.clinic, working=True)
    AppointmentFactory.create(
        provider=other, patient=patient, visit_type=visit_type, clinic=connection.clinic
    )
    link_to(connection, patient, "Patient", "pat-7")
    there.patient = remote
    answer = come_back(client, launched(client, connection))
    assert answer["Location"] == "/provider/"


@pytest.mark.parametrize(
    "iss", ["", "https://elsewhere.example/fhir", "{base}/other", "{base}?x=1", "{base}@evil"]
)
def test_a_launch_of_another_server_is_refused_before_anybody_is_asked(
    client: Client, connection: EMRConnection, there: Authority, iss: str
) -> None:
    answer = launched(client, connection, iss=iss.format(base=connection.base_url))
    assert refused(answer, client)
    assert there.asked == []


def test_a_slash_at_the_end_makes_no_other_server(
    client: Client, connection: EMRConnection
) -> None:
    assert launched(client, connection, iss=connection.base_url + "/").status_code == 302


@pytest.mark.parametrize(
    "columns", [{"is_active": False}, {"launch_client_id": ""}, {"pk": "other"}]
)
def test_a_connection_that_is_not_open_for_it_is_refused(
    client: Client, connection: EMRConnection, columns: dict[str, Any]
) -> None:
    if columns.pop("pk", ""):
        connection.pk = connection.clinic_id  # the id of something else
    EMRConnection.objects.filter(pk=connection.pk).update(**columns) if columns else None
    assert refused(launched(client, connection), client)


LIES: list[dict[str, Any]] = [
    {"iss": "https://elsewhere.example"},
    {"aud": "another-client"},
    {"aud": ["another-client"]},
    {"aud": [CLIENT, "another-client"], "azp": "another-client"},
    {"nonce": "another"},
    {"nonce": None},
    {"exp": int(time.time()) - 120},
    {"exp": None},
    {"iat": None},
    {"iat": int(time.time()) + 3600},
    {"nbf": int(time.time()) + 3600},
    {"sub": None},
    {"fhirUser": None},
    {"fhirUser": "Patient/p-1"},
    {"fhirUser": "https://elsewhere.example/fhir/Practitioner/p-1"},
    {"fhirUser": "Practitioner/../Practitioner/p-1"},
    {"fhirUser": "Practitioner/p-1?x"},
    {"fhirUser": ["Practitioner/p-1"]},
]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: next(iter(lie)))
def test_an_id_token_that_says_anything_else_opens_nothing(
    client: Client, connection: EMRConnection, doctor: User, there: Authority, lie: dict[str, Any]
) -> None:
    there.lies = lie
    assert refused(come_back(client, launched(client, connection)), client)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "RS384", "ES384"])
def test_four_ways_of_signing_are_known(
    client: Client, connection: EMRConnection, doctor: User, there: Authority, algorithm: str
) -> None:
    there.algorithm = algorithm
    come_back(client, launched(client, connection))
    assert signed_in(client)


def test_a_strangers_signature_opens_nothing(
    client: Client, connection: EMRConnection, doctor: User, there: Authority
) -> None:
    there.algorithm, there.signs_with = "ES384", STRANGERS_KEY
    assert refused(come_back(client, launched(client, connection)), client)


def test_a_signature_with_a_shared_secret_opens_nothing(
    client: Client, connection: EMRConnection, doctor: User, there: Authority
) -> None:
    there.signs_with = OctKey.generate_key(256, {"kid": "rs256"})
    there.header = {"alg": "HS256"}
    assert refused(come_back(client, launched(client, connection)), client)


@pytest.mark.parametrize("missing", ["issuer", "jwks_uri"])
def test_a_server_that_does_not_say_who_signs_opens_nothing(
    client: Client, connection: EMRConnection, doctor: User, there: Authority, missing: str
) -> None:
    there.without = {missing}
    assert refused(come_back(client, launched(client, connection)), client)


def test_a_server_without_a_door_is_refused(
    client: Client, connection: EMRConnection, there: Authority
) -> None:
    there.without = {"authorization_endpoint"}
    assert refused(launched(client, connection), client)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_an_address_without_tls_elsewhere_is_not_gone_to(
    client: Client, connection: EMRConnection, doctor: User, there: Authority, name: str
) -> None:
    there.endpoints = {name: "http://elsewhere.example/x"}
    answer = launched(client, connection)
    if answer.status_code == 302:
        answer = come_back(client, answer)
    assert refused(answer, client)


def test_a_state_is_good_once(
    client: Client, connection: EMRConnection, doctor: User, there: Authority
) -> None:
    begun = launched(client, connection)
    there_said = requests.get(begun["Location"], allow_redirects=False, timeout=5)
    back = urlsplit(there_said.headers["Location"])
    asked = dict(parse_qsl(back.query))
    client.get(back.path, asked)
    assert signed_in(client)
    client.logout()
    assert refused(client.get(back.path, asked), client)


@pytest.mark.parametrize("changed", [{"state": "x"}, {"state": ""}, {"code": ""}, {"code": "x"}])
def test_what_was_changed_on_the_way_opens_nothing(
    client: Client, connection: EMRConnection, doctor: User, changed: dict[str, str]
) -> None:
    assert refused(come_back(client, launched(client, connection), **changed), client)


def test_a_code_of_another_issuer_is_not_exchanged(
    client: Client, connection: EMRConnection, doctor: User, there: Authority
) -> None:
    answer = come_back(client, launched(client, connection), iss="https://elsewhere.example")
    assert refused(answer, client)
    assert "/token" not in {path for path, _form in there.asked}
    come_back(client, launched(client, connection), iss=there.origin)
    assert signed_in(client)


def test_a_refusal_there_is_one_here(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    answer = come_back(client, launched(client, connection), error="access_denied")
    assert refused(answer, client)


def test_another_browser_cannot_finish_it(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    """Whoever sends somebody a link with a code of their own signs nobody in as themselves."""
    victim = Client()
    assert refused(come_back(victim, launched(client, connection)), victim)


def test_a_launch_ends_after_ten_minutes(
    client: Client, connection: EMRConnection, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = launched(client, connection)
    session = client.session
    (state,) = session[pending.SESSION_KEY]
    waiting = session[pending.SESSION_KEY][state]
    assert 500 < waiting["until"] - time.time() <= 600
    waiting["until"] -= 601
    session.save()
    assert refused(come_back(client, begun), client)


def test_several_tabs_may_be_opened_and_the_oldest_are_forgotten(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    begun = [launched(client, connection) for _ in range(pending.MOST + 1)]
    assert len(client.session[pending.SESSION_KEY]) == pending.MOST
    come_back(client, begun[1])
    assert signed_in(client)
    assert come_back(client, begun[-1])["Location"] == "/provider/"
    assert come_back(client, begun[0]).status_code == 403


def test_an_account_that_is_closed_opens_nothing(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    User.objects.filter(pk=doctor.pk).update(is_active=False)
    assert refused(come_back(client, launched(client, connection)), client)


@pytest.mark.parametrize("columns", [{"is_active": False}, {"role": Role.RECEPTIONIST}])
def test_without_a_providers_role_here_nothing_opens(
    client: Client, connection: EMRConnection, doctor: User, columns: dict[str, Any]
) -> None:
    Membership.objects.filter(user=doctor).update(**columns)
    assert refused(come_back(client, launched(client, connection)), client)


def test_a_provider_of_another_clinic_is_not_known_here(
    client: Client, connection: EMRConnection, there: Authority
) -> None:
    elsewhere = ProviderFactory.create(clinic=ClinicFactory.create())
    assert elsewhere.user
    Membership.objects.create(user=elsewhere.user, clinic=elsewhere.clinic, role=Role.PROVIDER)
    link_to(connection, elsewhere, "Practitioner", "p-1")
    there.npi = elsewhere.npi_number or ""
    assert refused(come_back(client, launched(client, connection)), client)


def test_who_was_signed_in_before_is_signed_out_first(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    other = UserFactory.create()
    client.force_login(other)
    begun = launched(client, connection)
    come_back(client, begun)
    assert int(client.session["_auth_user_id"]) == doctor.pk


def test_who_is_signed_in_already_goes_on_with_what_they_have_shown(
    client: Client, connection: EMRConnection, doctor: User
) -> None:
    come_back(client, launched(client, connection))
    key = client.session.session_key
    come_back(client, launched(client, connection))
    assert client.session.session_key == key


def test_the_client_proves_itself_where_the_connection_signs(
    client: Client, connection: EMRConnection, doctor: User, key: SigningKey, there: Authority
) -> None:
    EMRConnection.objects.filter(pk=connection.pk).update(
        auth=Auth.PRIVATE_KEY.value, algorithm=Algorithm.ES384.value, client_id="backend"
    )
    come_back(client, launched(client, connection))
    (proof,) = there.proofs
    claims = jwt.decode(
        proof, KeySet.import_key_set({"keys": [key.public]}), algorithms=["ES384"]
    ).claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == (
        CLIENT, CLIENT, f"{there.origin}/token",
    )  # fmt: skip


def test_a_server_that_is_away_says_so(
    client: Client, clinic: Clinic, doctor: User, connection: EMRConnection
) -> None:
    EMRConnection.objects.filter(pk=connection.pk).update(base_url="http://127.0.0.1:9/fhir")
    connection.refresh_from_db()
    assert refused(launched(client, connection), client, status=503)


def test_too_many_tries_are_slowed_down(
    client: Client, connection: EMRConnection, doctor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = AuditEntry.objects.count()
    answers = [client.get(f"/emr/standalone/{connection.pk}/") for _ in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {302}
    assert answers[60].status_code == 429
    for path in ("launch/" + str(connection.pk), "callback"):
        assert client.get(f"/emr/{path}/").status_code == 429
    assert AuditEntry.objects.count() == before  # nobody fills the record by asking


def test_no_log_line_has_a_code_a_token_or_a_patient(
    client: Client, connection: EMRConnection, doctor: User, there: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    there.patient = "pat-secret"
    with caplog.at_level(logging.DEBUG):
        come_back(client, launched(client, connection, launch="launch-secret"))
        there.lies = {"nonce": "other"}
        client.logout()
        come_back(client, launched(client, connection))
    spoken = [form for path, form in there.asked if path == "/token"]
    secrets = {form[name] for form in spoken for name in ("code", "code_verifier")}
    assert len(secrets) == 4
    ours = "\n".join(
        record.getMessage() for record in caplog.records
        if not record.name.startswith("urllib3")  # the test's own client
    )  # fmt: skip
    for secret in {*secrets, *there.tokens, "pat-secret", "launch-secret"}:
        assert secret not in ours
