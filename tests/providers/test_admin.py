"""The set-up pages: who enters, whose rows they see, and what cannot be changed there."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from providers.models import (
    Clinic,
    Membership,
    Provider,
    Role,
    Specialty,
    VisitType,
)
from scheduling.models import Appointment, VisitNote
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    SpecialtyFactory,
    UserFactory,
    VisitTypeFactory,
)
from tests.providers.setup_pages import address, browser_of, filled, posted

pytestmark = pytest.mark.django_db


def test_a_manager_enters_and_sees_only_the_own_clinic(
    site: Client, provider: Provider, elsewhere: Provider
) -> None:
    rows = site.get(address("providers_provider", "changelist")).context["cl"].result_list
    assert list(rows) == [provider]
    assert site.get(address("providers_provider", "change", elsewhere.pk)).status_code == 404
    clinics = site.get(address("providers_clinic", "changelist")).context["cl"].result_list
    assert list(clinics) == [provider.clinic]
    assert site.get(address("providers_clinic", "change", elsewhere.clinic_id)).status_code == 404


def test_a_superuser_sees_every_clinic(provider: Provider, elsewhere: Provider) -> None:
    root = browser_of(UserFactory.create(is_staff=True, is_superuser=True))
    rows = root.get(address("providers_provider", "changelist")).context["cl"].result_list
    assert set(rows) == {provider, elsewhere}


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PROVIDER])
def test_other_roles_do_not_find_the_site(role: Role, clinic: Clinic) -> None:
    user = UserFactory.create(is_staff=True)
    MembershipFactory.create(user=user, clinic=clinic, role=role)
    assert browser_of(user).get(reverse("admin:index")).status_code == 404


def test_a_manager_no_more_does_not_find_the_site(manager: User, site: Client) -> None:
    Membership.objects.filter(user=manager).update(is_active=False)
    assert site.get(reverse("admin:index")).status_code == 404


def test_strangers_go_to_the_staffs_own_sign_in() -> None:
    for name in ("admin:index", "admin:login"):
        answer = Client().get(reverse(name))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(
    "name", ["index", "providers_visittype_changelist", "providers_provider_add"]
)
def test_a_page_asks_once_what_its_visitor_may_do(name: str, site: Client) -> None:
    site.get(reverse(f"admin:{name}"))
    with CaptureQueriesContext(connection) as asked:
        assert site.get(reverse(f"admin:{name}")).status_code == 200
    questions = [row["sql"] for row in asked if row["sql"].startswith('SELECT 1 AS "a"')]
    assert sorted(set(questions)) == sorted(questions)
    assert questions


def test_every_page_of_the_site_opens(
    site: Client, provider: Provider, manager: User, visit_type: VisitType
) -> None:
    appointment = AppointmentFactory.create(provider=provider, visit_type=visit_type)
    assert site.get(reverse("admin:index")).status_code == 200
    for model, page in admin.site._registry.items():
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        assert site.get(address(name, "changelist"), {"q": "a"}).status_code == 200, name
        expected = 200 if page.has_add_permission(_request(manager)) else 403
        assert site.get(address(name, "add")).status_code == expected, name
    for name, pk in {
        "providers_provider": provider.pk,
        "providers_clinic": provider.clinic_id,
        "scheduling_appointment": appointment.pk,
        "patients_patient": appointment.patient_id,
        "providers_visittype": visit_type.pk,
        "auth_user": provider.user_id,
    }.items():
        assert site.get(address(name, "change", pk)).status_code == 200, name


def _request(user: User) -> Any:
    request = RequestFactory().get("/")
    request.user = user
    return request


def test_pages_of_other_packages_and_clinical_notes_are_not_part_of_the_site() -> None:
    registered = {model._meta.label for model in admin.site._registry}
    assert VisitNote._meta.label not in registered
    assert {label.split(".")[0] for label in registered} <= {
        "auth",
        "emr",
        "patients",
        "providers",
        "reminders",
        "scheduling",
    }


def test_appointments_can_be_looked_at_and_nothing_else(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    row = AppointmentFactory.create(provider=provider, visit_type=visit_type, reason="Sore knee")
    page = site.get(address("scheduling_appointment", "change", row.pk))
    assert row.reference in page.content.decode()
    assert "Sore knee" not in page.content.decode()
    assert site.post(address("scheduling_appointment", "change", row.pk), {}).status_code == 403
    assert site.get(address("scheduling_appointment", "add")).status_code == 403
    assert site.get(address("scheduling_appointment", "delete", row.pk)).status_code == 403
    assert Appointment.objects.filter(pk=row.pk).exists()


def test_a_patients_page_says_nothing_that_the_patient_told_us(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    patient = AppointmentFactory.create(provider=provider, visit_type=visit_type).patient
    for url in (
        address("patients_patient", "changelist"),
        address("patients_patient", "change", patient.pk),
    ):
        text = site.get(url).content.decode()
        assert patient.family_name not in text
        assert patient.phone not in text


def test_a_manager_makes_a_colleague_with_a_role(site: Client, clinic: Clinic) -> None:
    posted(
        site,
        address("auth_user", "add"),
        {
            "email": "New.Colleague@Clinic.example",
            "first_name": "New",
            "last_name": "Colleague",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
            "memberships-0-clinic": clinic.pk,
            "memberships-0-role": Role.CLINIC_ADMIN,
            "memberships-0-is_active": "on",
        },
    )
    user = User.objects.get(email="new.colleague@clinic.example")
    assert user.username == user.email
    assert user.is_staff
    assert not user.is_superuser
    assert Client().login(username=user.username, password="correct horse battery")


def test_a_colleague_needs_a_role_and_an_address_of_their_own(
    site: Client, manager: User, clinic: Clinic
) -> None:
    values = {
        "email": manager.email.upper(),
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    with pytest.raises(AssertionError, match="Somebody else signs in"):
        posted(site, address("auth_user", "add"), values)
    with pytest.raises(AssertionError, match=r"at least 1|required"):
        posted(site, address("auth_user", "add"), values | {"email": "other@clinic.example"})


def test_a_manager_changes_neither_the_own_account_nor_a_superuser_nor_others_staff(
    site: Client, manager: User, clinic: Clinic, elsewhere: Provider
) -> None:
    root = UserFactory.create(is_superuser=True, is_staff=True)
    MembershipFactory.create(user=root, clinic=clinic)
    shared = UserFactory.create()
    for place in (clinic, elsewhere.clinic):
        MembershipFactory.create(user=shared, clinic=place)
    for user in (manager, root, shared):
        url = address("auth_user", "change", user.pk)
        assert site.post(url, {"email": "taken@over.example"}).status_code == 403
        password = site.get(reverse("admin:auth_user_password_change", args=[user.pk]))
        assert password.status_code == 403
    assert elsewhere.user is not None
    assert site.get(address("auth_user", "change", elsewhere.user.pk)).status_code == 404


def test_the_own_role_is_not_among_those_a_manager_can_change(
    site: Client, manager: User, clinic: Clinic
) -> None:
    colleague = MembershipFactory.create(clinic=clinic)
    page = site.get(address("providers_clinic", "change", clinic.pk))
    staff = page.context["inline_admin_formsets"][1].formset
    assert [form.instance for form in staff.forms] == [colleague]
    offered = staff.forms[0].fields["user"].queryset
    assert manager not in offered


def test_forms_offer_no_clinic_or_provider_of_others(
    site: Client, provider: Provider, elsewhere: Provider
) -> None:
    form = site.get(address("providers_timeoff", "add")).context["adminform"].form
    assert list(form.fields["provider"].queryset) == [provider]
    start = {"start_datetime_0": "2030-07-01", "start_datetime_1": "09:00"}
    end = {"end_datetime_0": "2030-07-02", "end_datetime_1": "09:00"}
    with pytest.raises(AssertionError, match="valid choice"):
        posted(
            site,
            address("providers_timeoff", "add"),
            {"provider": elsewhere.pk, "reason": "CME", **start, **end},
        )


def test_a_catalogue_that_others_share_is_read_only_to_a_manager_of_one_clinic(
    site: Client, provider: Provider
) -> None:
    kind, field = VisitTypeFactory.create(), SpecialtyFactory.create()
    assert site.get(address("providers_visittype", "add")).status_code == 200
    ClinicFactory.create()
    assert site.get(address("providers_visittype", "add")).status_code == 403
    assert site.post(address("providers_visittype", "change", kind.pk), {}).status_code == 403
    assert site.get(address("providers_specialty", "change", field.pk)).status_code == 200
    assert Specialty.objects.filter(pk=field.pk).exists()


@pytest.mark.parametrize("pk", ["x", "00000000-0000-0000-0000-000000000000", "9" * 400, "a_00b"])
def test_unknown_ids_are_not_found(pk: str, site: Client) -> None:
    for name in ("providers_provider", "providers_clinic", "auth_user", "scheduling_appointment"):
        assert site.get(address(name, "change", pk)).status_code == 404


def test_every_page_keeps_to_the_strict_policy(site: Client, provider: Provider) -> None:
    for url in (
        reverse("admin:index"),
        address("providers_provider", "changelist"),
        address("providers_provider", "change", provider.pk),
    ):
        page = site.get(url)
        assert "script-src 'self'" in page["Content-Security-Policy"]
        text = page.content.decode()
        assert "<script>" not in text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text


def test_whoever_is_made_a_manager_on_the_clinics_page_enters(site: Client, clinic: Clinic) -> None:
    member = MembershipFactory.create(clinic=clinic, role=Role.RECEPTIONIST)
    colleague = browser_of(member.user)
    assert colleague.get(reverse("admin:index")).status_code == 404
    url = address("providers_clinic", "change", clinic.pk)
    posted(site, url, {"memberships-0-role": Role.CLINIC_ADMIN})
    colleague.force_login(member.user)  # a changed role ends the sessions
    assert colleague.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("base", ["http://meet.example", "ftp://meet.example/x", "//meet"])
def test_rooms_for_video_visits_need_tls(base: str, site: Client, clinic: Clinic) -> None:
    url = address("providers_clinic", "change", clinic.pk)
    answer = site.post(url, filled(site, url, {"telehealth_base_url": base}))
    assert "telehealth_base_url" in answer.context["adminform"].form.errors
    posted(site, url, {"telehealth_base_url": "meet.example/rooms"})
    clinic.refresh_from_db()
    assert clinic.telehealth_base_url == "https://meet.example/rooms"


@pytest.mark.parametrize(
    "question",
    [
        "scheduling/appointment/?status__exact=%00",
        "scheduling/appointment/?patient__given_name__startswith=A",
        "patients/patient/?email_index=x",
        "patients/patient/?created_at__year=999999999",
        "providers/provider/?languages__contains=x",
        "providers/provider/?clinic__memberships__user__password__startswith=p",
        "auth/user/?memberships__role=%00",
        "auth/user/?password__startswith=p",
    ],
)
def test_a_question_that_no_filter_asks_is_a_bad_request(question: str, site: Client) -> None:
    assert site.get(f"/admin/{question}").status_code == 400


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("model", ["scheduling_appointment", "providers_provider", "auth_user"])
def test_what_the_filters_of_a_list_ask_is_answered(model: str, site: Client) -> None:
    url = address(model, "changelist")
    page = site.get(url)
    choices = [
        choice["query_string"]
        for spec in page.context["cl"].filter_specs
        for choice in spec.choices(page.context["cl"])
    ]
    assert len(choices) > 3
    for query in choices:
        assert site.get(f"{url}{query}").status_code == 200, query


def test_a_privacy_officer_reads_people_and_roles_and_changes_nothing(clinic: Clinic) -> None:
    member = MembershipFactory.create(clinic=clinic)
    stranger = MembershipFactory.create()
    officer = browser_of(MembershipFactory.create(clinic=clinic, role=Role.PRIVACY_OFFICER).user)
    listed = officer.get(address("auth_user", "changelist")).context["cl"].result_list
    assert member.user in listed
    assert stranger.user not in listed
    page = address("auth_user", "change", member.user.pk)
    answer = officer.get(page)
    assert answer.status_code == 200
    assert "Receptionist" in answer.content.decode()
    assert b'name="_save"' not in answer.content
    assert officer.post(page, {"first_name": "X"}).status_code == 403
    assert officer.get(address("auth_user", "add")).status_code == 403
    for hidden in ("providers_clinic", "patients_patient", "scheduling_appointment"):
        assert officer.get(address(hidden, "changelist")).status_code == 403


@pytest.mark.parametrize("page", ["patients_patient", "scheduling_appointment"])
def test_pages_about_patients_open_to_a_role_and_not_to_a_superuser(
    page: str, site: Client, provider: Provider
) -> None:
    visit = AppointmentFactory.create(provider=provider)
    row = visit if page == "scheduling_appointment" else visit.patient
    root = browser_of(UserFactory.create(is_staff=True, is_superuser=True))
    for url in (address(page, "changelist"), address(page, "change", row.pk)):
        assert site.get(url).status_code == 200
        assert root.get(url).status_code == 403
    assert page.partition("_")[2] not in root.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("page", ["patients_patient", "scheduling_appointment"])
def test_pages_about_patients_have_no_search_and_show_nobodys_name(
    page: str, site: Client, provider: Provider
) -> None:
    visit = AppointmentFactory.create(provider=provider, reason="A cough that stays")
    answer = site.get(address(page, "changelist"))
    text = answer.content.decode()
    assert 'name="q"' not in text
    row = visit if page == "scheduling_appointment" else visit.patient
    text += site.get(address(page, "change", row.pk)).content.decode()
    for told in (visit.patient.family_name, visit.patient.phone, "A cough"):
        assert told not in text


def test_a_role_is_not_handed_on_to_somebody_else(site: Client, clinic: Clinic) -> None:
    """Or what it opened would stay with whoever held it before."""
    held = MembershipFactory.create(clinic=clinic)
    other = MembershipFactory.create(clinic=clinic).user
    page = site.get(address("providers_clinic", "change", clinic.pk))
    rows = page.context["inline_admin_formsets"][1].formset.forms
    prefix = next(form.prefix for form in rows if form.instance == held)
    sent = {f"{prefix}-user": other.pk, f"{prefix}-role": Role.PROVIDER}
    posted(site, address("providers_clinic", "change", clinic.pk), sent)
    held.refresh_from_db()
    assert held.role == Role.PROVIDER
    assert held.user != other


def test_a_manager_does_not_become_a_colleagues_provider(
    site: Client, manager: User, clinic: Clinic, provider: Provider
) -> None:
    page = address("providers_provider", "change", provider.pk)
    offered = site.get(page).context["adminform"].form.fields["user"].queryset
    assert provider.user in offered
    assert manager not in offered
    with pytest.raises(AssertionError, match="valid choice"):
        posted(site, page, {"user": manager.pk})
    Provider.objects.filter(pk=provider.pk).update(user=manager)
    posted(site, page, {"name": "Dr. Own Name"})
    provider.refresh_from_db()
    assert (provider.user, provider.name) == (manager, "Dr. Own Name")


def test_the_list_of_staff_tells_no_role_at_a_clinic_of_others(
    site: Client, clinic: Clinic, elsewhere: Provider
) -> None:
    shared = MembershipFactory.create(clinic=clinic).user
    MembershipFactory.create(user=shared, clinic=elsewhere.clinic, role=Role.PRIVACY_OFFICER)
    text = site.get(address("auth_user", "changelist")).content.decode()
    assert shared.email in text
    assert "Privacy officer" not in text.split("changelist-filter")[0].split("result_list")[-1]
    assert elsewhere.clinic.name not in text
