"""Every page says for whom it is, and a site with one that does not is refused."""

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.db.utils import ConnectionHandler
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import get_resolver, path
from psycopg import IsolationLevel

from config.checks import pages_are_declared, undeclared


def nobody_knows(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [path("who/", nobody_knows)]


def test_every_page_of_the_site_declares_its_audience() -> None:
    assert list(undeclared(get_resolver())) == []


@override_settings(ROOT_URLCONF=__name__)
def test_a_page_without_a_declaration_is_an_error_that_names_its_address() -> None:
    (error,) = pages_are_declared(None)
    assert "who/" in error.msg


@pytest.mark.django_db(transaction=True)
def test_a_connection_at_another_isolation_level_is_refused() -> None:
    options = {**settings.DATABASES["default"]["OPTIONS"]}
    options["isolation_level"] = IsolationLevel.REPEATABLE_READ
    database = {**connection.settings_dict, "OPTIONS": options}
    other = ConnectionHandler({"default": database})["default"]
    with pytest.raises(ImproperlyConfigured, match="repeatable read"):
        other.connect()
    other.close()
