"""Answers to requests that no page could serve: a plain page, a request's status, nothing more."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form was too old and keep the way back open. `reason` is never shown."""
    return render(request, "errors/csrf.html", status=403)
