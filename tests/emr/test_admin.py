"""The set-up pages of record systems: secrets go in and never come out, and codes go along."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from emr.kinds import Auth, Vendor
from emr.models import EMRConnection
from patients.models import AuditEntry
from patients.models.audit import Act
from patients.privacy import audit
from providers.models import Clinic, Role, VisitType
from tests.factories import MembershipFactory
from tests.factories.emr import EMRConnectionFactory
from tests.factories.emr_work import signing_key
from tests.page_forms import forms_in

ADD = reverse("admin:emr_emrconnection_add")
SECRET, OTHER = "s3cret-of-the-client", "another-s3cret"


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    user = MembershipFactory.create(clinic=clinic, role=Role.CLINIC_ADMIN).user
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=user.pk))
    return client


@pytest.fixture
def connection(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(
        clinic=clinic, auth=Auth.CLIENT_SECRET.value, client_secret=SECRET, hook_secret="h-1"
    )


def change(connection: EMRConnection) -> str:
    return reverse("admin:emr_emrconnection_change", args=[connection.pk])


def form_at(client: Client, address: str) -> dict[str, str]:
    page = client.get(address).content.decode()
    return next(form.data() for form in forms_in(page) if "source_system" in form.fields)


def secrets_of(connection: EMRConnection) -> tuple[str, str]:
    with audit.keeping_record(system="system:test", purpose="test"):
        row = EMRConnection.objects.get(pk=connection.pk)
        return row.client_secret, row.hook_secret


def test_a_connection_with_its_codes_is_made(
    manager: Client, clinic: Clinic, visit_type: VisitType
) -> None:
    told: dict[str, Any] = form_at(manager, ADD) | {
        "clinic": str(clinic.pk),
        "name": "Harbor EHR",
        "source_system": "https://ehr.example/r4",
        "vendor": Vendor.ORACLE.value,
        "base_url": "https://ehr.example/r4",
        "is_active": "on",
        "auth": Auth.CLIENT_SECRET.value,
        "new_client_secret": SECRET,
        "codes-TOTAL_FORMS": "1",
        "codes-0-visit_type": str(visit_type.pk),
        "codes-0-code": "24477854",
    }
    answer = manager.post(ADD, told)
    assert answer.status_code == 302, answer.context["errors"]
    made = EMRConnection.objects.get()
    assert secrets_of(made) == (SECRET, "")
    assert made.codes.get().code == "24477854"


def test_secrets_are_never_shown_and_stay_when_nothing_is_typed(
    manager: Client, connection: EMRConnection
) -> None:
    page = manager.get(change(connection)).content.decode()
    assert SECRET not in page
    assert "h-1" not in page
    assert manager.post(change(connection), form_at(manager, change(connection))).status_code == 302
    assert secrets_of(connection) == (SECRET, "h-1")


def test_what_is_typed_replaces_a_secret_and_the_record_holds_its_name_alone(
    manager: Client, connection: EMRConnection
) -> None:
    told = form_at(manager, change(connection)) | {"new_client_secret": OTHER}
    assert manager.post(change(connection), told).status_code == 302
    assert secrets_of(connection) == (OTHER, "h-1")
    entry = AuditEntry.objects.get(object_pk=str(connection.pk), action=Act.UPDATE)
    assert "client_secret" in entry.field_names
    assert OTHER not in str(entry.__dict__)


def test_a_client_by_secret_needs_one(manager: Client, clinic: Clinic) -> None:
    plain = EMRConnectionFactory.create(clinic=clinic)
    told = form_at(manager, change(plain)) | {"auth": Auth.CLIENT_SECRET.value}
    answer = manager.post(change(plain), told)
    assert "Type the client secret." in answer.content.decode()


def test_an_active_connection_needs_an_address(manager: Client, connection: EMRConnection) -> None:
    told = form_at(manager, change(connection)) | {"base_url": ""}
    answer = manager.post(change(connection), told)
    assert "An active connection needs an address." in answer.content.decode()


def test_another_clinics_connection_is_not_found(manager: Client) -> None:
    foreign = EMRConnectionFactory.create()
    assert manager.get(change(foreign)).status_code == 404


def test_a_key_shows_its_public_half_alone(manager: Client) -> None:
    key = signing_key()
    page = manager.get(reverse("admin:emr_signingkey_change", args=[key.pk])).content.decode()
    assert key.kid in page
    assert "private" not in page.partition("<main")[2]
    assert manager.get(reverse("admin:emr_signingkey_add")).status_code == 403
