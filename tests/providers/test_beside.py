"""A row read beside another is the same as one that is read by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, OuterRef, QuerySet
from django.test.utils import CaptureQueriesContext

from providers.beside import beside, made
from providers.models import Clinic, InsurancePlan, Provider, Specialty, VisitType
from tests.factories import ProviderFactory

pytestmark = pytest.mark.django_db


def columns(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


@pytest.mark.usefixtures("visit_type")
def test_every_column_of_it_is_what_it_would_be_alone(provider: Provider) -> None:
    Provider.objects.update(languages=["en", "zh-Hans"], offers_telehealth=True)
    InsurancePlan.objects.create(payer='Über "Care"', name="", plan_code="U")
    for model in (Provider, VisitType, Specialty, InsurancePlan):
        rows: QuerySet[Any] = model.objects.all()
        with CaptureQueriesContext(connection) as asked:
            at: Any = Clinic.objects.annotate(its=beside(rows)).get(pk=provider.clinic_id)
            row = made(model, at.its)
        assert len(asked) == 1
        alone = rows.first()
        assert row is not None
        assert alone is not None
        assert columns(row) == columns(alone)
        assert row == alone
        assert not row._state.adding


def test_it_may_depend_on_the_row_that_it_stands_beside(provider: Provider) -> None:
    other = ProviderFactory.create()
    clinics: QuerySet[Any] = Clinic.objects.annotate(
        its=beside(Provider.objects.filter(clinic=OuterRef("pk")))
    )
    found = {clinic.pk: made(Provider, clinic.its) for clinic in clinics}
    assert found == {provider.clinic_id: provider, other.clinic_id: other}


def test_none_is_none(clinic: Clinic) -> None:
    at: Any = Clinic.objects.annotate(its=beside(Provider.objects.none())).get(pk=clinic.pk)
    assert made(Provider, at.its) is None
