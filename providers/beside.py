"""Reads a row of another table in the statement that reads one's own, and makes it whole again."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model, QuerySet, Subquery
from django.db.models.functions import JSONObject

M = TypeVar("M", bound=Model)


def beside(rows: QuerySet[Any]) -> Subquery:
    """Return the first of these rows as one value for `annotate`, null where there is none.

    For tables whose columns JSON can carry: no sealed ones, no ranges.
    """
    columns = {field.attname: field.attname for field in rows.model._meta.concrete_fields}
    return Subquery(rows.values(row=JSONObject(**columns))[:1])


def made(model: type[M], value: dict[str, Any] | None) -> M | None:
    """Return the row that such a value stands for, as if it had been read by itself."""
    if value is None:
        return None
    fields = [(field, value[field.attname]) for field in model._meta.concrete_fields]
    names = [field.attname for field, _value in fields]
    return model.from_db(DEFAULT_DB_ALIAS, names, [field.to_python(v) for field, v in fields])
