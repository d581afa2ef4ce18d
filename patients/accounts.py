"""How staff accounts behave at sign-in. Patients have none here: they sign in by code."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # untyped library
    """Accounts are made by a clinic's admin, never by signing up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
