"""Sealed columns: nothing in the table, everything on the instance, no query looks inside."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.core.management import call_command
from django.db import connection, models, transaction
from django.db.models import Case, Count, Exists, F, Max, OuterRef, Subquery, Value, When
from django.db.models.functions import Concat, Upper
from django.forms import modelform_factory
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from patients import looks
from patients.crypto import NotSealed, Tampered, UnknownKey
from patients.fields import SealedTextField
from patients.models import Patient
from patients.sealed import Sealed
from scheduling.models import Appointment
from tests.factories import AppointmentFactory, PatientFactory

pytestmark = pytest.mark.django_db
SEALED = [column.name for column in Patient._meta.concrete_fields if hasattr(column, "opener")]
TOLD = {
    "given_name": "Adaeze",
    "family_name": "Moreno-Vidal",
    "name_suffix": "Jr.",
    "phone": "+12125550177",
    "email": "adaeze@mail.example",
    "address_line": "17 Larkspur Lane",
    "city": "Fairhaven",
    "state": "Massachusetts",
    "postal_code": "02719",
    "insurance_member_id": "XQZ-998877",
}
OTHER_KEYS = "other:" + "Ynl0ZXMtdGhhdC1uby1vdGhlci10ZXN0LXVzZXMhISE="


@pytest.fixture
def ada() -> Patient:
    """Just read from the database, so that nothing of hers was opened yet."""
    return Patient.objects.get(pk=PatientFactory.create(dob=date(1987, 6, 5), **TOLD).pk)


def raw(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
        return repr(cursor.fetchall())


def stored(row: models.Model, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {row._meta.db_table} WHERE id = %s", [row.pk])  # noqa: S608
        (value,) = cursor.fetchone()
    return str(value)


def store(row: models.Model, column: str, value: str) -> None:
    with connection.cursor() as cursor:
        sql = f"UPDATE {row._meta.db_table} SET {column} = %s WHERE id = %s"  # noqa: S608
        cursor.execute(sql, [value, row.pk])


def test_the_table_holds_nothing_in_clear(ada: Patient) -> None:
    rows = raw("patients_patient")
    for word in [*TOLD.values(), "1987", "Massachusetts"]:
        assert word not in rows
    assert {name: getattr(ada, name) for name in TOLD} == TOLD
    assert ada.dob == date(1987, 6, 5)


def test_every_sealed_column_is_tested_here() -> None:
    assert {*SEALED} == {*TOLD, "dob"}


def test_equal_values_are_stored_differently() -> None:
    one, other = PatientFactory.create(city="Fairhaven"), PatientFactory.create(city="Fairhaven")
    assert stored(one, "city") != stored(other, "city")


def test_empty_is_sealed_and_null_stays_null() -> None:
    row = PatientFactory.create(city="", dob=None)
    assert stored(row, "city").startswith("1.")
    assert stored(row, "dob") == "None"
    again = Patient.objects.get(pk=row.pk)
    assert (again.city, again.dob) == ("", None)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"])), born=st.dates() | st.none())
def test_any_text_and_date_come_back(ada: Patient, text: str, born: date | None) -> None:
    ada.family_name, ada.dob = text, born
    ada.save()
    again = Patient.objects.get(pk=ada.pk)
    assert (again.family_name, again.dob) == (text, born)


# What is on the instance


def test_a_loaded_value_is_opened_when_read_and_noted_once(ada: Patient) -> None:
    with looks.looking(looks.Look()) as look:
        assert look.fields == set()
        assert ada.given_name == "Adaeze"
        assert ada.given_name == "Adaeze"
    assert (look.patients, look.fields) == ({ada.pk}, {"given_name"})


@override_settings(LOOKS_MUST_BE_RECORDED=True)
def test_without_a_record_nothing_is_opened(ada: Patient) -> None:
    with pytest.raises(looks.Unrecorded):
        _ = ada.given_name
    with looks.looking(looks.Look()):
        assert ada.given_name == "Adaeze"


@override_settings(LOOKS_MUST_BE_RECORDED=True)
def test_what_was_assigned_needs_no_record() -> None:
    row = PatientFactory.build(clinic=None, given_name="Ben")
    assert row.given_name == "Ben"


def test_a_sealed_value_shows_nothing(ada: Patient) -> None:
    held = ada.__dict__["given_name"]
    assert isinstance(held, Sealed)
    assert f"{held} {held!r}" == "<sealed> <sealed>"
    _ = ada.given_name
    assert "Adaeze" not in f"{held} {ada!r} {ada} {ada.__dict__}"


def test_a_deferred_column_is_read_sealed_and_alone(
    ada: Patient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    row = Patient.objects.defer("given_name").get(pk=ada.pk)
    with looks.looking(looks.Look()) as look, django_assert_num_queries(1):
        assert row.given_name == "Adaeze"
    assert look.fields == {"given_name"}
    only = Patient.objects.only("city").get(pk=ada.pk)
    assert only.get_deferred_fields() >= {"given_name", "dob"}
    assert only.city == "Fairhaven"


def test_refreshing_opens_nothing_and_brings_what_is_new(ada: Patient) -> None:
    Patient.objects.get(pk=ada.pk)
    ada.city = "Elsewhere"
    with looks.looking(looks.Look()) as look:
        ada.refresh_from_db()
        assert not look.fields
        assert ada.city == "Fairhaven"
    ada.city = "Elsewhere"
    ada.refresh_from_db(fields=["city"])
    assert not Patient._meta.get_field("city").is_assigned(ada)
    assert ada.city == "Fairhaven"


def test_related_rows_stay_sealed_until_read(ada: Patient) -> None:
    visit = AppointmentFactory.create(patient=ada, reason="A rash")
    loaded = Appointment.objects.select_related("patient").get(pk=visit.pk)
    with looks.looking(looks.Look()) as look:
        assert loaded.patient.city == "Fairhaven"
        assert loaded.reason_for_visit == "A rash"
    assert (look.patients, look.fields) == ({ada.pk}, {"city", "reason_for_visit"})


def test_pickles_and_copies_hold_no_plain_text(ada: Patient) -> None:
    assert ada.given_name == "Adaeze"
    pickled = pickle.dumps(ada)
    assert b"Adaeze" not in pickled
    for other in (pickle.loads(pickled), copy.copy(ada), copy.deepcopy(ada)):  # noqa: S301
        assert other.given_name == "Adaeze"


def test_saved_instances_pickle_sealed_too() -> None:
    row = PatientFactory.create(given_name="Adaeze")
    assert row.given_name == "Adaeze"
    assert b"Adaeze" not in pickle.dumps(row)


def test_what_was_not_changed_is_not_sealed_again(ada: Patient) -> None:
    before = {name: stored(ada, name) for name in SEALED}
    ada.given_name = "Ada"
    ada.city = str(ada.city)
    ada.save()
    after = {name: stored(ada, name) for name in SEALED}
    assert {name for name in SEALED if before[name] != after[name]} == {"given_name"}


def test_an_assigned_value_is_told_from_a_loaded_one(ada: Patient) -> None:
    city: Any = Patient._meta.get_field("city")
    assert not city.is_assigned(ada)
    _ = ada.city
    assert not city.is_assigned(ada)
    ada.city = "Elsewhere"
    assert city.is_assigned(ada)
    ada.save()
    assert not city.is_assigned(ada)


def test_a_date_is_read_as_a_date_whatever_was_assigned(ada: Patient) -> None:
    ada.dob = "1990-02-03"  # type: ignore[assignment]
    ada.save()
    assert ada.dob == date(1990, 2, 3)
    ada.dob = "no date"  # type: ignore[assignment]
    with pytest.raises(ValidationError):
        ada.save()


def test_many_rows_are_sealed_each_under_its_own_id(ada: Patient) -> None:
    rows = [PatientFactory.build(clinic=ada.clinic, city="Port Kent") for _ in range(3)]
    Patient.objects.bulk_create(rows)
    assert "Port Kent" not in raw("patients_patient")
    loaded = Patient.objects.filter(pk__in=[row.pk for row in rows])
    assert [row.city for row in loaded] == ["Port Kent"] * 3


def test_a_form_edits_a_sealed_column(ada: Patient) -> None:
    form_class = modelform_factory(Patient, fields=["given_name", "dob", "city"])
    shown = form_class(instance=ada)
    assert shown.initial == {"given_name": "Adaeze", "dob": date(1987, 6, 5), "city": "Fairhaven"}
    form = form_class({"given_name": "Ada", "dob": "1987-06-06", "city": ""}, instance=ada)
    assert form.is_valid(), form.errors
    form.save()
    again = Patient.objects.get(pk=ada.pk)
    assert (again.given_name, again.dob, again.city) == ("Ada", date(1987, 6, 6), "")


@pytest.mark.parametrize("language", ["json", "python", "xml"])
def test_a_dump_of_rows_leaves_sealed_columns_out(ada: Patient, language: str) -> None:
    assert ada.given_name
    written = str(serializers.serialize(language, [ada, Patient.objects.get(pk=ada.pk)]))
    assert str(ada.pk) in written
    assert not [word for word in [*TOLD.values(), "1987"] if word in written]


def test_dumpdata_shows_nothing(ada: Patient, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("dumpdata", "patients.patient")
    written = capsys.readouterr().out
    assert str(ada.pk) in written
    assert "Adaeze" not in written


# What no query may do

# The type checker's plugin asks the columns itself, and fails as these queries do.
PATIENTS: Any = Patient.objects
VISITS: Any = Appointment.objects


def _save_with(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


QUERIES: dict[str, Callable[[], Any]] = {
    "filter": lambda: PATIENTS.filter(given_name="Ada"),
    "filter in": lambda: PATIENTS.filter(given_name__in=["Ada"]),
    "filter startswith": lambda: PATIENTS.filter(given_name__istartswith="A"),
    "filter across": lambda: VISITS.filter(patient__given_name="Ada"),
    "filter a date": lambda: PATIENTS.filter(dob=date(1987, 6, 5)),
    "filter a year": lambda: PATIENTS.filter(dob__year=1987),
    "exclude": lambda: PATIENTS.exclude(city=""),
    "compare with F": lambda: PATIENTS.filter(language=F("city")),
    "values": lambda: PATIENTS.values("given_name"),
    "values of all": lambda: PATIENTS.values(),
    "values_list": lambda: PATIENTS.values_list("pk", "dob"),
    "values across": lambda: VISITS.values_list("patient__given_name", flat=True),
    "order_by": lambda: PATIENTS.order_by("family_name"),
    "order_by down": lambda: PATIENTS.order_by("-dob"),
    "order_by F": lambda: PATIENTS.order_by(F("family_name").desc()),
    "order_by across": lambda: VISITS.order_by("patient__family_name"),
    "distinct on": lambda: PATIENTS.distinct("city"),
    "annotate F": lambda: PATIENTS.annotate(x=F("city")),
    "annotate across": lambda: VISITS.annotate(x=F("patient__city")),
    "annotate function": lambda: PATIENTS.annotate(x=Upper("city")),
    "annotate concat": lambda: PATIENTS.annotate(x=Concat("city", "state")),
    "annotate case": lambda: PATIENTS.annotate(
        x=Case(When(sex="female", then=F("city")), default=Value(""))
    ),
    "subquery": lambda: VISITS.annotate(
        x=Subquery(PATIENTS.filter(pk=OuterRef("patient")).values("city")[:1])
    ),
    "exists": lambda: VISITS.filter(Exists(PATIENTS.filter(language=OuterRef("reason_for_visit")))),
    "group by": lambda: PATIENTS.values("city").annotate(n=Count("pk")),
    "dates": lambda: PATIENTS.dates("dob", "year"),
}
WRITES: dict[str, Callable[[Patient], Any]] = {
    "update": lambda row: PATIENTS.update(city="Fairhaven"),
    "update to empty": lambda row: PATIENTS.update(city=""),
    "update a date": lambda row: PATIENTS.update(dob=date(1987, 6, 5)),
    "update with F": lambda row: PATIENTS.update(city=F("state")),
    "update with Value": lambda row: PATIENTS.update(city=Value("Fairhaven")),
    "update another with F": lambda row: PATIENTS.update(language=F("city")),
    "update with what it looks like": lambda row: PATIENTS.update(city=stored(row, "city")),
    "bulk_update": lambda row: PATIENTS.bulk_update([row], ["city"]),
    "save an expression": lambda row: _save_with(row, city=F("state")),
    "aggregate": lambda row: PATIENTS.aggregate(Max("dob")),
    "count": lambda row: PATIENTS.aggregate(n=Count("city")),
    "in_bulk": lambda row: PATIENTS.in_bulk(["x"], field_name="city"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_looks_inside(ada: Patient, name: str) -> None:
    with pytest.raises((FieldError, AssertionError)) as caught:
        list(QUERIES[name]())
    if name != "dates":
        assert "sealed" in str(caught.value)


@pytest.mark.parametrize("name", WRITES)
def test_no_statement_writes_or_weighs_it(ada: Patient, name: str) -> None:
    before = raw("patients_patient")
    with pytest.raises((FieldError, ValueError)), transaction.atomic():
        WRITES[name](ada)
    assert raw("patients_patient") == before


def test_whether_it_is_there_may_be_asked(ada: Patient) -> None:
    PatientFactory.create(clinic=ada.clinic, dob=None)
    assert list(Patient.objects.filter(dob__isnull=False)) == [ada]
    assert Patient.objects.filter(pk=ada.pk).update(dob=None) == 1


def test_queries_that_do_not_name_it_work(ada: Patient) -> None:
    AppointmentFactory.create(patient=ada)
    rows: Any = Patient.objects.annotate(n=Count("appointments"))
    assert [(row.city, row.n) for row in rows] == [("Fairhaven", 1)]
    assert list(Patient.objects.distinct()) == [ada]
    both = Patient.objects.filter(pk=ada.pk).union(Patient.objects.exclude(pk=ada.pk))
    assert [row.city for row in both] == ["Fairhaven"]
    assert Patient.objects.select_related("clinic").exists()
    assert Appointment.objects.filter(patient__in=Patient.objects.all()).count() == 1
    visits = Appointment.objects.select_related("patient").annotate(n=Count("events"))
    assert [visit.patient.city for visit in visits] == ["Fairhaven"]
    again = Patient.objects.filter(pk=ada.pk).select_for_update().iterator(chunk_size=10)
    assert [row.city for row in again] == ["Fairhaven"]


# What was stored by somebody else


@pytest.mark.parametrize("column", SEALED)
def test_a_value_of_another_row_does_not_open(ada: Patient, column: str) -> None:
    ben = PatientFactory.create(clinic=ada.clinic)
    store(ada, column, stored(ben, column))
    with pytest.raises(Tampered):
        getattr(Patient.objects.get(pk=ada.pk), column)


def test_a_value_of_another_column_does_not_open(ada: Patient) -> None:
    values = {column: stored(ada, column) for column in SEALED}
    for column in SEALED:
        for other in {*SEALED} - {column}:
            store(ada, column, values[other])
            with pytest.raises(Tampered):
                getattr(Patient.objects.get(pk=ada.pk), column)


def test_a_value_of_another_model_does_not_open(ada: Patient) -> None:
    reason: Any = Appointment._meta.get_field("reason_for_visit")
    store(ada, "city", reason.seal(ada.pk, "A rash"))
    with pytest.raises(Tampered):
        _ = Patient.objects.get(pk=ada.pk).city


@pytest.mark.parametrize("value", ["", "Fairhaven", "1.", "1.development.", "1.development.AAAA"])
def test_plain_text_in_the_table_is_never_shown(ada: Patient, value: str) -> None:
    store(ada, "city", value)
    with pytest.raises(NotSealed) as caught:
        _ = Patient.objects.get(pk=ada.pk).city
    assert "Fairhaven" not in str(caught.value)


def test_a_key_that_is_not_there_is_named_as_such(ada: Patient) -> None:
    with override_settings(DATA_KEYS=OTHER_KEYS), pytest.raises(UnknownKey):
        _ = ada.city
    with (
        override_settings(DATA_KEYS=OTHER_KEYS.replace("other", "development")),
        pytest.raises(Tampered),
    ):
        _ = ada.city
    assert ada.city == "Fairhaven"


def test_a_spoilt_value_is_not_written_on(ada: Patient) -> None:
    store(ada, "city", stored(ada, "state"))
    row = Patient.objects.get(pk=ada.pk)
    with pytest.raises(Tampered):
        row.save()


def test_a_row_under_another_id_is_another_row(ada: Patient) -> None:
    ada.pk = PatientFactory.build(clinic=None).pk
    ada._state.adding = True
    with pytest.raises(Tampered):
        ada.save()


# How it is declared


def test_a_column_declares_itself_as_it_was_made() -> None:
    column = Patient._meta.get_field("dob")
    _, path, args, kwargs = column.deconstruct()
    assert (path, args) == ("patients.fields.SealedDateField", [])
    assert kwargs["null"] is True
    assert column.db_type(connection) == "text"


def test_a_sealed_column_needs_a_row_that_says_whose_it_is() -> None:
    class Diary(models.Model):
        text = SealedTextField()

        class Meta:
            app_label = "patients"
            managed = False

    try:
        problems = Diary._meta.get_field("text").check()
        assert [problem.msg for problem in problems] == ["A sealed column needs a SealedRow."]
    finally:
        del Patient._meta.apps.all_models["patients"]["diary"]
        Patient._meta.apps.clear_cache()


def test_many_values_are_opened_at_once_for_a_record_of_its_own(ada: Patient) -> None:
    city: Any = Patient._meta.get_field("city")
    with override_settings(LOOKS_MUST_BE_RECORDED=True):
        with pytest.raises(looks.Unrecorded):
            city.opener()
        with looks.looking(looks.Look()) as look:
            assert city.opener()(ada.pk, stored(ada, "city")) == "Fairhaven"
    assert (look.fields, look.patients) == ({"city"}, set())
