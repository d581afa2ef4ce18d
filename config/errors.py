"""Answers to requests that no page could serve: a plain page, a number to ask for help with, and
nothing of what went wrong. They need neither database nor session."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

AWAY = (OperationalError, InterfaceError)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form was too old and keep the way back open. `reason` is never shown."""
    return plain_page(request, "csrf", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_page(request, "400", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_page(request, "403", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_page(request, "404", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 where the database is away, since trying again helps, and 500 otherwise."""
    if isinstance(sys.exception(), AWAY):
        return plain_page(request, "503", status=503)
    return plain_page(request, "500", status=500)


def plain_page(request: HttpRequest, name: str, *, status: int) -> HttpResponse:
    """Return templates/errors/<name>.html, which no cache may keep."""
    context = {"request_id": getattr(request, "request_id", "")}
    content = render_to_string(f"errors/{name}.html", context)
    return HttpResponse(content, status=status, headers={"Cache-Control": "no-store"})
