"""The set-up pages: who enters, whose rows they see, and that hours are saved by their verbs."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.forms import ModelMultipleChoiceField
from django.test import Client, RequestFactory
from django.urls import reverse

from providers.hours import save_time_off
from providers.models import (
    Clinic,
    ClinicClosure,
    Membership,
    Provider,
    ProviderCalendar,
    ProviderSchedule,
    Role,
    Specialty,
    TimeOff,
    VisitType,
)
from scheduling.models import Appointment, VisitNote
from tests.factories import (
    AppointmentFactory,
    ClinicFactory,
    MembershipFactory,
    ProviderFactory,
    SpecialtyFactory,
    UserFactory,
    VisitTypeFactory,
    at,
    next_monday,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def manager(clinic: Clinic) -> User:
    user: User = UserFactory.create(is_staff=True)
    MembershipFactory.create(user=user, clinic=clinic, role=Role.CLINIC_ADMIN)
    return user


@pytest.fixture
def site(manager: User) -> Client:
    """A browser in which the clinic's manager is signed in."""
    return browser_of(manager)


@pytest.fixture
def elsewhere() -> Provider:
    """A provider of another clinic."""
    return ProviderFactory.create(clinic=ClinicFactory.create(name="Elsewhere"), working=True)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def address(model: str, what: str, *args: Any) -> str:
    return reverse(f"admin:{model}_{what}", args=args)


def stamp(provider: Provider) -> int:
    return ProviderCalendar.objects.get(provider=provider).stamp


def check_deferred_rules() -> None:
    """Let the deferred triggers judge now what they would judge at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def posted(client: Client, url: str, values: dict[str, Any]) -> Any:
    """Send a form as the page shows it, inlines included, with some values replaced."""
    page = client.get(url)
    assert page.status_code == 200
    data: dict[str, Any] = {}
    shown = page.context["adminform"].form
    forms = [shown, *(f for fs in page.context["inline_admin_formsets"] for f in fs.formset.forms)]
    for form in forms:
        for bound in form:
            data |= _as_sent(bound)
    for formset in page.context["inline_admin_formsets"]:
        for bound in formset.formset.management_form:
            data |= _as_sent(bound)
    answer = client.post(url, {k: v for k, v in (data | values).items() if v is not None})
    if answer.status_code == 200:
        raise AssertionError(_problems(answer))
    check_deferred_rules()
    return answer


def _as_sent(bound: Any) -> dict[str, Any]:
    value = bound.value()
    if hasattr(bound.field, "fields") and not isinstance(value, list):
        parts = bound.field.widget.decompress(value)
        return {
            f"{bound.html_name}_{n}": part.isoformat() if part else ""
            for n, part in enumerate(parts)
        }
    if isinstance(value, bool):
        return {bound.html_name: "on"} if value else {}
    if isinstance(value, date | time | datetime):
        return {bound.html_name: value.isoformat()}
    if isinstance(bound.field, ModelMultipleChoiceField):
        return {bound.html_name: value} if value else {}
    if bound.name == "languages":
        return {bound.html_name: ",".join(value)}
    return {bound.html_name: "" if value is None else value}


def _problems(answer: Any) -> list[Any]:
    formsets = answer.context["inline_admin_formsets"]
    errors = [answer.context["adminform"].form.errors]
    return errors + [(fs.formset.errors, fs.formset.non_form_errors()) for fs in formsets]


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


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.PROVIDER, Role.PRIVACY_OFFICER])
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
    for name, row in {
        "providers_provider": provider,
        "providers_clinic": provider.clinic,
        "scheduling_appointment": appointment,
        "patients_patient": appointment.patient,
        "providers_visittype": visit_type,
        "auth_user": provider.user,
    }.items():
        if name != "auth_user":
            assert site.get(address(name, "change", row.pk)).status_code == 200, name


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
        "scheduling",
    }


def test_time_off_is_entered_on_the_clinics_wall_clock_and_bumps_the_calendar(
    site: Client, provider: Provider
) -> None:
    before = stamp(provider)
    posted(
        site,
        address("providers_timeoff", "add"),
        {
            "provider": provider.pk,
            "start_datetime_0": "2030-07-01",
            "start_datetime_1": "09:00",
            "end_datetime_0": "2030-07-01",
            "end_datetime_1": "17:00",
            "reason": "CME",
        },
    )
    row = TimeOff.objects.get()
    assert row.start_datetime == datetime(2030, 7, 1, 13, tzinfo=UTC)
    assert stamp(provider) != before
    shown = site.get(address("providers_timeoff", "change", row.pk)).context["adminform"].form
    assert shown["start_datetime"].value().hour == 9
    assert "9 a.m." in site.get(address("providers_timeoff", "changelist")).content.decode()


def test_an_absence_in_another_zone_is_entered_on_that_zones_clock(manager: User) -> None:
    west = ClinicFactory.create(time_zone__name="America/Los_Angeles", name="West")
    MembershipFactory.create(user=manager, clinic=west, role=Role.CLINIC_ADMIN)
    provider = ProviderFactory.create(clinic=west)
    posted(
        browser_of(manager),
        address("providers_timeoff", "add"),
        {
            "provider": provider.pk,
            "start_datetime_0": "2030-07-01",
            "start_datetime_1": "09:00",
            "end_datetime_0": "2030-07-01",
            "end_datetime_1": "10:00",
            "reason": "SICK",
        },
    )
    assert TimeOff.objects.get().start_datetime == datetime(2030, 7, 1, 16, tzinfo=UTC)


def test_saving_unchanged_time_off_moves_nothing(site: Client, provider: Provider) -> None:
    start = datetime(2030, 7, 1, 13, tzinfo=UTC)
    row = save_time_off(
        TimeOff(provider=provider, start_datetime=start, end_datetime=start + DAY, reason="CME")
    )
    posted(site, address("providers_provider", "change", provider.pk), {})
    row.refresh_from_db()
    assert row.start_datetime == start


def test_a_providers_page_saves_hours_and_absences_and_bumps(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    before, monday = stamp(provider), provider.schedules.get(day_of_week=0)
    rows = site.get(address("providers_provider", "change", provider.pk)).context
    total = rows["inline_admin_formsets"][0].formset.initial_form_count()
    posted(
        site,
        address("providers_provider", "change", provider.pk),
        {
            "schedules-0-end_time": "12:00",
            "schedules-0-visit_types": [visit_type.pk],
            "schedules-TOTAL_FORMS": total + 1,
            f"schedules-{total}-provider": provider.pk,
            f"schedules-{total}-clinic": provider.clinic_id,
            f"schedules-{total}-day_of_week": "0",
            f"schedules-{total}-start_time": "13:00",
            f"schedules-{total}-end_time": "17:00",
            f"schedules-{total}-slot_duration_minutes": "30",
            f"schedules-{total}-valid_from": "2020-01-01",
            f"schedules-{total}-is_active": "on",
            "time_off-TOTAL_FORMS": "1",
            "time_off-0-provider": provider.pk,
            "time_off-0-start_datetime_0": "2030-07-01",
            "time_off-0-start_datetime_1": "09:00",
            "time_off-0-end_datetime_0": "2030-07-02",
            "time_off-0-end_datetime_1": "09:00",
            "time_off-0-reason": "SICK",
        },
    )
    monday.refresh_from_db()
    assert monday.end_time == time(12)
    assert list(monday.visit_types.all()) == [visit_type]
    assert provider.schedules.filter(day_of_week=0).count() == 2
    assert provider.time_off.get().start_datetime == datetime(2030, 7, 1, 13, tzinfo=UTC)
    assert stamp(provider) != before


def test_hours_removed_on_a_providers_page_bump(site: Client, provider: Provider) -> None:
    before = stamp(provider)
    posted(
        site,
        address("providers_provider", "change", provider.pk),
        {"schedules-0-DELETE": "on"},
    )
    assert provider.schedules.count() == 4
    assert stamp(provider) != before


def test_two_windows_may_trade_places(site: Client, provider: Provider) -> None:
    one, other = provider.schedules.get(day_of_week=0), provider.schedules.get(day_of_week=1)
    posted(
        site,
        address("providers_provider", "change", provider.pk),
        {"schedules-0-day_of_week": "1", "schedules-1-day_of_week": "0"},
    )
    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.day_of_week, other.day_of_week) == (1, 0)
    assert one.is_active
    assert other.is_active


@pytest.mark.parametrize("other_start", ["11:00", "16:59"])
def test_overlapping_hours_of_one_form_are_refused_in_words(
    other_start: str, site: Client, provider: Provider
) -> None:
    url = address("providers_provider", "change", provider.pk)
    window = {
        "clinic": provider.clinic_id,
        "day_of_week": "6",
        "end_time": "17:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    values: dict[str, Any] = {"schedules-TOTAL_FORMS": 7}
    for number, start in ((5, "09:00"), (6, other_start)):
        for name, value in {**window, "start_time": start, "provider": provider.pk}.items():
            values[f"schedules-{number}-{name}"] = value
    with pytest.raises(AssertionError, match="overlap"):
        posted(site, url, values)
    assert not provider.schedules.filter(day_of_week=6).exists()


def test_hours_that_overlap_known_ones_are_refused_in_words(
    site: Client, provider: Provider
) -> None:
    values = {
        "provider": provider.pk,
        "clinic": provider.clinic_id,
        "day_of_week": "0",
        "start_time": "16:00",
        "end_time": "18:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    with pytest.raises(AssertionError, match="overlap"):
        posted(site, address("providers_providerschedule", "add"), values)


def test_hours_that_touch_known_ones_are_taken(site: Client, provider: Provider) -> None:
    values = {
        "provider": provider.pk,
        "clinic": provider.clinic_id,
        "day_of_week": "0",
        "start_time": "17:00",
        "end_time": "18:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    posted(site, address("providers_providerschedule", "add"), values)
    assert provider.schedules.filter(day_of_week=0).count() == 2


def test_a_closure_bumps_everybody_and_says_how_many_visits_no_longer_fit(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    day = next_monday(1)
    for clock in ("09:00", "10:00"):
        AppointmentFactory.create(provider=provider, visit_type=visit_type, start=at(day, clock))
    before = stamp(provider)
    url = address("providers_clinicclosure", "add")
    values = {
        "clinic": provider.clinic_id,
        "label": "Repairs",
        "start_datetime_0": day.isoformat(),
        "start_datetime_1": "09:30",
        "end_datetime_0": day.isoformat(),
        "end_datetime_1": "17:00",
    }
    posted(site, url, values)
    assert stamp(provider) != before
    page = site.get(address("providers_clinicclosure", "changelist")).content.decode()
    assert "1 booked visit no longer fits" in page
    row = ClinicClosure.objects.get()
    between = stamp(provider)
    site.post(address("providers_clinicclosure", "delete", row.pk), {"post": "yes"})
    check_deferred_rules()
    assert stamp(provider) != between
    page = site.get(address("providers_clinicclosure", "changelist")).content.decode()
    assert "Every booked visit fits" in page


def test_deactivating_a_provider_bumps_and_counts(
    site: Client, provider: Provider, visit_type: VisitType
) -> None:
    AppointmentFactory.create(provider=provider, visit_type=visit_type)
    before = stamp(provider)
    posted(site, address("providers_provider", "change", provider.pk), {"is_active": None})
    assert stamp(provider) != before
    page = site.get(address("providers_provider", "changelist")).content.decode()
    assert "1 booked visit no longer fits" in page


def test_a_clinics_zone_bumps_everybody_who_works_there(site: Client, provider: Provider) -> None:
    before = stamp(provider)
    posted(
        site,
        address("providers_clinic", "change", provider.clinic_id),
        {"time_zone": "America/Chicago"},
    )
    assert stamp(provider) != before
    provider.clinic.refresh_from_db()
    assert provider.clinic.time_zone_id == "America/Chicago"


def test_several_absences_removed_at_once_bump(site: Client, provider: Provider) -> None:
    start = datetime(2030, 7, 1, 13, tzinfo=UTC)
    row = save_time_off(
        TimeOff(provider=provider, start_datetime=start, end_datetime=start + DAY, reason="CME")
    )
    before = stamp(provider)
    site.post(
        address("providers_timeoff", "changelist"),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )
    check_deferred_rules()
    assert not TimeOff.objects.exists()
    assert stamp(provider) != before


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
    with pytest.raises(AssertionError, match="at least 1|required"):
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


def test_hours_of_other_clinics_stay_out_of_a_providers_page(
    site: Client, provider: Provider, elsewhere: Provider
) -> None:
    ProviderSchedule.objects.filter(provider=provider, day_of_week=4).update(
        clinic=elsewhere.clinic
    )
    page = site.get(address("providers_provider", "change", provider.pk))
    hours = page.context["inline_admin_formsets"][0].formset
    assert len(hours.forms) == 4
    total = len(hours.forms)
    values = {
        "provider": provider.pk,
        "clinic": provider.clinic_id,
        "day_of_week": "4",
        "start_time": "16:00",
        "end_time": "18:00",
        "slot_duration_minutes": "30",
        "valid_from": "2020-01-01",
        "is_active": "on",
    }
    with pytest.raises(AssertionError, match="overlap"):
        posted(
            site,
            address("providers_provider", "change", provider.pk),
            {"schedules-TOTAL_FORMS": total + 1}
            | {f"schedules-{total}-{name}": value for name, value in values.items()},
        )
