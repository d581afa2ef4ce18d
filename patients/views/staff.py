"""Signing out, for everybody: the browser is told to forget what it kept of these pages."""

from allauth.account.views import logout
from django.http import HttpRequest, HttpResponse


def sign_out(request: HttpRequest) -> HttpResponse:
    """Show the question on GET; on POST end the session and clear the browser's copies."""
    response: HttpResponse = logout(request)
    if request.method == "POST":
        response["Clear-Site-Data"] = '"cache", "storage"'
    return response
