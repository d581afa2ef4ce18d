"""The demo's one-click entry: a button per audience, by POST, and never in production."""

from __future__ import annotations

import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import include, path, reverse

import config.urls
from patients.models import Patient
from providers.models import Clinic, Role
from scheduling.seeding import cast
from tests.factories import MembershipFactory, PatientFactory, UserFactory
from tests.patients.privacy.staff_sign_in import later

urlpatterns = [*config.urls.urlpatterns, path("demo/", include("config.demo.urls"))]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def entry(settings: Any) -> Client:
    """A browser at a demo."""
    settings.ROOT_URLCONF = __name__
    settings.DEMO_ENTRY = True
    return Client()


@pytest.fixture
def people(clinic: Clinic) -> None:
    for login, role in (
        ("receptionist", Role.RECEPTIONIST),
        ("provider", Role.PROVIDER),
        ("admin", Role.CLINIC_ADMIN),
    ):
        email = f"{login}@{cast.DOMAIN}"
        user = UserFactory.create(username=email, email=email, is_staff=login == "admin")
        MembershipFactory.create(user=user, clinic=clinic, role=role)
    PatientFactory.create(clinic=clinic, email=cast.DEMO_PATIENT_EMAIL)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("audience", "begins_at"),
    [
        ("desk", "desk:board"),
        ("provider", "provider:today"),
        ("admin", "admin:index"),
        ("patient", "portal:appointments"),
    ],
)
def test_one_click_leads_to_the_audiences_first_page(
    audience: str, begins_at: str, entry: Client
) -> None:
    answer = entry.post(reverse("demo_entry", args=[audience]))
    assert answer.status_code == 302
    assert answer["Location"] == reverse(begins_at)
    assert entry.get(answer["Location"]).status_code == 200


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("name", "value"), [("DEMO_ENTRY", False), ("DEVELOPMENT", False)])
def test_its_door_stands_for_a_second_step_and_counts_nowhere_but_in_the_demo(
    entry: Client, settings: Any, name: str, value: bool
) -> None:
    entry.post(reverse("demo_entry", args=["desk"]))
    assert entry.get(reverse("desk:board")).status_code == 200
    setattr(settings, name, value)
    assert entry.get(reverse("desk:board"))["Location"] == reverse("mfa_index")


@pytest.mark.usefixtures("people")
def test_a_visitor_of_the_demo_is_not_asked_again_for_what_they_cannot_show(
    entry: Client, settings: Any
) -> None:
    entry.post(reverse("demo_entry", args=["provider"]))
    with later(minutes=6):
        assert entry.get(reverse("emergency:ask")).status_code == 200
        settings.DEMO_ENTRY = False
        assert entry.get(reverse("emergency:ask"))["Location"] == reverse("mfa_index")


@pytest.mark.usefixtures("people")
def test_the_patient_gets_the_account_that_a_code_would_have_opened(entry: Client) -> None:
    entry.post(reverse("demo_entry", args=["patient"]))
    patient = Patient.objects.get()
    assert patient.user is not None
    assert patient.user.email == ""
    assert entry.session["_auth_user_id"] == str(patient.user.pk)


@pytest.mark.usefixtures("people")
def test_a_patient_whose_account_was_closed_is_told_so(entry: Client) -> None:
    entry.post(reverse("demo_entry", args=["patient"]))
    User.objects.filter(patients__isnull=False).update(is_active=False)
    answer = Client().post(reverse("demo_entry", args=["patient"]))
    assert answer.status_code == 403
    assert "portal/sign_in_closed.html" in [t.name for t in answer.templates]


@pytest.mark.usefixtures("people")
def test_a_get_signs_nobody_in(entry: Client) -> None:
    assert entry.get(reverse("demo_entry", args=["desk"])).status_code == 405
    assert "_auth_user_id" not in entry.session


@pytest.mark.usefixtures("people")
def test_the_button_is_protected_against_other_sites(settings: Any, entry: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("demo_entry", args=["desk"])).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("audience", ["desk", "patient", "root", "privacy"])
def test_nobody_unknown_is_signed_in(audience: str, entry: Client) -> None:
    assert entry.post(reverse("demo_entry", args=[audience])).status_code == 404


@pytest.mark.usefixtures("people")
def test_the_first_and_the_sign_in_pages_show_the_buttons_in_the_demo_alone(
    entry: Client, settings: Any
) -> None:
    pages = [reverse("portal:start"), reverse("account_login"), reverse("portal:sign_in")]
    for page in pages:
        text = entry.get(page).content.decode()
        for audience in ("desk", "provider", "patient", "admin"):
            assert reverse("demo_entry", args=[audience]) in text
    settings.DEMO_ENTRY = False
    for page in pages:
        assert "/demo/enter/" not in entry.get(page).content.decode()


def test_without_the_switch_there_is_no_such_address() -> None:
    assert not any("demo/" in str(row.pattern) for row in config.urls.urlpatterns)


PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "SECRET_KEY": "production-" + "k" * 60,
    "BLIND_INDEX_KEY": "production-" + "b" * 60,
    "DATA_KEYS": f"one:{b64encode(bytes(range(32))).decode()}",
    "AUDIT_VERIFY_KEYS": f"one:{b64encode(bytes(range(32))).decode()}",
    "AUDIT_ANCHOR": "/nowhere/anchor",
    "ALLOWED_HOSTS": "clinic.example",
    "SITE_URL": "https://clinic.example",
    "DATABASE_URL": "postgresql://daysheet@db.clinic.example/daysheet?sslmode=verify-full",
    "EMAIL_HOST": "mail.clinic.example",
    "DEFAULT_FROM_EMAIL": "clinic@clinic.example",
    "DEMO_ENTRY": "1",
}


def run_in_production(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=PRODUCTION | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("module", ["config.demo", "config.demo.views", "config.demo.urls"])
def test_its_code_cannot_be_loaded_under_production_settings(module: str) -> None:
    done = run_in_production(f"import django; django.setup(); import {module}")
    assert done.returncode != 0
    assert "ImproperlyConfigured: The demo's code cannot be loaded" in done.stderr


def test_production_settings_themselves_load() -> None:
    done = run_in_production("import django; django.setup(); print('loaded')")
    assert done.stdout.strip() == "loaded", done.stderr
