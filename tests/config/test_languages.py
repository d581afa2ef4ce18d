"""Whoever reads Spanish gets all of it: pages, refusals, days, times and messages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation

from patients.mail import send_mail
from patients.models import Patient
from providers.models import Clinic
from scheduling.errors import IllegalTransition, SchedulingError
from scheduling.presenters import clock, long_date
from scheduling.refusal_words import ACTS, STATUSES, in_words
from scheduling.templatetags.days import fulldate
from scheduling.transitions import Act, Status
from tests.config.catalogue import asked_for, compiled, unmarked, written

OTHERS = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
# Keys, the product's name, and classes of <html> that stand in blocks of their own.
NOT_WORDS = {"Enter", "Esc", "Daysheet", "desk", "portal", "provider", "light dark", "on", "off"}
NAMED = re.compile(r"%\((\w+)\)[sd]")
SPANISH = {"Accept-Language": "es-US,es;q=0.9,en;q=0.5"}
HOW = (
    "Run `manage.py makemessages -l es -e html,txt,py --add-location file --no-wrap`, translate "
    "config/locale/es/LC_MESSAGES/django.po, then run `manage.py compilemessages`."
)


@pytest.mark.parametrize("language", OTHERS)
def test_every_marked_word_is_translated(language: str) -> None:
    asked, translated = asked_for(), compiled(language)
    assert len(asked) > 700
    forms = {message: 2 if plural else 1 for message, plural in asked.items()}
    missing = [m for m, n in forms.items() if len(list(filter(None, translated.get(m, [])))) < n]
    assert missing == [], HOW


def test_every_word_of_a_template_is_marked() -> None:
    assert sorted(set(unmarked()) - NOT_WORDS) == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_translated_that_no_page_says(language: str) -> None:
    assert sorted(set(written(language)) - set(asked_for())) == [], HOW


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    assert compiled(language) == written(language), HOW


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_names_the_same_values_as_its_message(language: str) -> None:
    translated = compiled(language)
    for message, plural in asked_for().items():
        known = set(NAMED.findall(f"{message} {plural}"))
        for text in translated[message]:
            assert set(NAMED.findall(text)) <= known, text
        assert set(NAMED.findall(translated[message][-1])) == known, message


def test_a_day_and_a_time_are_written_as_spanish_writes_them() -> None:
    afternoon = datetime(2026, 6, 9, 15, 30, tzinfo=UTC)
    assert (long_date(afternoon), clock(afternoon)) == ("Tuesday, June 9", "3:30\xa0pm")
    with translation.override("es"):
        assert long_date(afternoon) == "martes, 9 de junio"
        assert clock(afternoon) == "3:30\xa0p.\xa0m."
        assert clock(afternoon.replace(hour=0)) == "12:30\xa0a.\xa0m."
        assert fulldate(date(1961, 4, 7)) == "7 de abril de 1961"


@pytest.mark.parametrize("kind", SchedulingError.__subclasses__())
def test_a_refusal_is_told_in_spanish(kind: type[SchedulingError]) -> None:
    refusal = kind("MOVE", "CANCELLED") if kind is IllegalTransition else kind()
    english = in_words(refusal)
    with translation.override("es"):
        assert in_words(refusal) not in {english, str(refusal)}


def test_every_act_and_status_has_a_word_for_the_refusal() -> None:
    assert set(ACTS) == {*Act, "MOVE", "RESTORE"}
    assert set(STATUSES) == set(Status)
    with translation.override("es"):
        words = in_words(IllegalTransition(Act.CHECK_IN, Status.CANCELLED))
    assert words == "No es posible (registrar la llegada): la cita está cancelada."


@pytest.mark.django_db
def test_the_portal_speaks_the_language_of_the_browser(client: Client, clinic: Clinic) -> None:
    address = reverse("portal:clinic", args=[clinic.slug])
    page = client.get(address, headers=SPANISH).content.decode()
    assert '<html lang="es"' in page
    assert "Reservar una cita" in page
    assert "Book an appointment" not in page
    assert '<html lang="en"' in client.get(address).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["portal:sign_in", "account_login"])
def test_the_switch_changes_the_language_and_leads_back(client: Client, name: str) -> None:
    page = f"{reverse(name)}?next=/home/"
    assert f'name="next" value="{page}"' in client.get(page).content.decode()
    answer = client.post(reverse("language"), {"language": "es", "next": page})
    assert (answer.status_code, answer["Location"]) == (302, page)
    kept = answer.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (kept.value, kept["httponly"], kept["samesite"]) == ("es", True, "Lax")
    assert '<html lang="es"' in client.get(page).content.decode()


@pytest.mark.django_db
def test_the_switch_is_no_way_to_another_site(client: Client) -> None:
    for address in (
        "https://elsewhere.example/",
        "//elsewhere.example",
        "javascript:1",
        "",
        "x" * 9_000,
    ):
        answer = client.post(reverse("language"), {"language": "en", "next": address})
        assert answer["Location"] == "/"


@pytest.mark.django_db
def test_a_language_that_is_not_offered_is_a_bad_request(client: Client) -> None:
    for language in ("", "xx", "es\x00", "e" * 100_000):
        answer = client.post(reverse("language"), {"language": language, "next": "/"})
        assert answer.status_code == 400
        assert settings.LANGUAGE_COOKIE_NAME not in answer.cookies


@pytest.mark.django_db
def test_a_patient_gets_mail_in_their_own_language(patient: Patient) -> None:
    for language, words in {
        "es": "su código",
        "es-MX": "su código",
        "ht": "your code",
        "": "your code",
    }.items():
        context = {"code": "1234 5678", "minutes": 10}
        send_mail(kind="sign_in_code", to=patient.email, language=language, context=context)
        assert words in mail.outbox[-1].subject
