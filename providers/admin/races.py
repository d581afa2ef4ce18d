"""What a set-up page answers when two save at the same moment: a form error, as for one after the
other. Knows no rule itself; the form that is asked again does."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import DatabaseError, IntegrityError
from django.http import HttpRequest, HttpResponse
from psycopg.errors import DeadlockDetected

TRIES = 3


class AsksAgain(admin.ModelAdmin):  # type: ignore[type-arg]
    """A page that, where the database refused, judges what was posted once more.

    Its form then sees the row that won and says what is wrong with its own.
    """

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        for _try in range(TRIES - 1):
            try:
                return super().changeform_view(request, object_id, form_url, extra_context)
            except DatabaseError as error:
                if not _lost_a_race(error):
                    raise
        return super().changeform_view(request, object_id, form_url, extra_context)


def _lost_a_race(error: DatabaseError) -> bool:
    return isinstance(error, IntegrityError) or isinstance(error.__cause__, DeadlockDetected)
