"""The linter of the words: every message that the site can send, in each of its languages."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template import TemplateDoesNotExist
from hypothesis import given
from hypothesis import strategies as st

from reminders.gsm import PART, septets
from reminders.kinds import Channel, Kind, NoticeKind
from reminders.messages import Letter, VisitSlot, render
from tests.reminders.lettering import CASES, EMAILS, LINK, LONGEST, TEXTS, VISIT, Case
from tests.reminders.reading import LINK as ANY_LINK
from tests.reminders.reading import grade, sentences

LANGUAGES = [code for code, _ in settings.LANGUAGES]
NOT_AUTOMATIC = {
    NoticeKind.LINK, NoticeKind.SIGN_IN_CODE, NoticeKind.BOOKING_CODE, NoticeKind.REPLY
}  # fmt: skip
WITH_UNSUBSCRIBE = {*Kind, NoticeKind.OFFER}
WITH_LINK = {"LINK", "SEVERAL", "OFFER"}
NAMES_NO_VISIT = {*WITH_LINK, "OFFER_OVER", "UNCLEAR"}
SAYS_NO_NAME = {NoticeKind.SIGN_IN_CODE, NoticeKind.BOOKING_CODE}
in_each_language = pytest.mark.parametrize("language", LANGUAGES)
# What a patient with an eighth-grade reader's patience is spared; words that only staff use.
# Some of these stand in every English message, and in no other language that the site speaks.
ENGLISH = re.compile(
    r"\b(the|you|your|this|here|is|with|to|for|it|see|visits?|join|change|book(ed)?|reply|sooner)\b",
    re.I,
)
JARGON = re.compile(r"\b(provider|modality|telehealth|no-show|schedul\w+|utili[sz]e)\b", re.I)


@in_each_language
def test_a_text_is_one_part_even_with_the_longest_names(language: str) -> None:
    for case in TEXTS:
        text = case.say(language).text
        assert septets(text) <= PART, text
        assert "\n" not in text


@in_each_language
def test_names_that_are_as_long_as_allowed_are_not_cut(language: str) -> None:
    for case in TEXTS:
        text = case.say(language).text
        names_visit = VISIT.provider.split()[1] in text or case.several
        assert text.startswith(f"{LONGEST.sms_name}: ")
        assert LONGEST.given_name in text
        says_no_visit = {NoticeKind.RELEASED, NoticeKind.LINK, *SAYS_NO_NAME}
        assert names_visit or case.kind in says_no_visit or case.answer in NAMES_NO_VISIT


@in_each_language
def test_a_text_that_nobody_asked_for_says_how_to_stop_them(language: str) -> None:
    for case in TEXTS:
        assert ("STOP" in case.say(language).text) == (case.kind not in NOT_AUTOMATIC)


@in_each_language
def test_an_e_mail_that_comes_by_itself_can_be_unsubscribed(language: str) -> None:
    for case in EMAILS:
        mail = case.say(language)
        expected = LONGEST.unsubscribe_url if case.kind in WITH_UNSUBSCRIBE else ""
        assert mail.unsubscribe_url == expected
        assert (LONGEST.unsubscribe_url in mail.text) == bool(expected)


@in_each_language
def test_a_message_has_one_link_or_one_for_each_visit(language: str) -> None:
    for case in CASES:
        message = case.say(language)
        links = [link for link in ANY_LINK.findall(message.text) if "unsubscribe" not in link]
        if case.channel == Channel.PUSH or case.kind in SAYS_NO_NAME:
            assert links == []
        elif case.kind is NoticeKind.REPLY:
            assert links == ([message.url] if case.answer in WITH_LINK else [])
        elif case.several and case.channel == Channel.EMAIL:
            assert links == [LINK, LINK]
        else:
            assert links == [message.url]


@in_each_language
def test_the_clinic_is_named_first_and_the_patient_next(language: str) -> None:
    for case in CASES:
        message = case.say(language)
        sender = LONGEST.sms_name if case.channel == Channel.SMS else LONGEST.clinic_name
        if case.channel == Channel.PUSH:
            assert message.subject == sender
            assert message.text.startswith(f"{LONGEST.given_name}, ")
            continue
        assert message.text.startswith(f"{sender}: ")
        if case.channel == Channel.EMAIL:
            assert message.subject.startswith(f"{sender}: ")
        if case.kind not in SAYS_NO_NAME:
            assert message.text.startswith(f"{sender}: {LONGEST.given_name}, ")


def test_each_language_has_its_own_words() -> None:
    for case in CASES:
        letter = replace(LONGEST, clinic_name="Riverside", sms_name="Riverside")
        said = {language: case.say(language, letter) for language in LANGUAGES}
        assert len({message.text for message in said.values()}) == len(LANGUAGES)
        for language in set(LANGUAGES) - {"en"}:
            words = ANY_LINK.sub("", f"{said[language].subject} {said[language].text}")
            assert not ENGLISH.search(words), words


def test_english_is_read_by_sixth_graders() -> None:
    for case in CASES:
        letter = replace(LONGEST, clinic_name="Clinic", sms_name="Clinic", given_name="Ann")
        visit = replace(VISIT, provider="Dr. Lee", may_be_freed=True)
        text = case.say("en", replace(letter, visits=(visit,))).text
        assert grade(text) <= 6, (round(grade(text), 1), text)
        assert not JARGON.search(text)


@in_each_language
def test_no_sentence_is_long(language: str) -> None:
    for case in CASES:
        letter = replace(LONGEST, clinic_name="Clinic", sms_name="Clinic")
        longest = max(sentences(case.say(language, letter).text), key=len)
        assert len(longest) <= 24, longest


def test_the_grade_tells_hard_words_from_easy_ones() -> None:
    assert grade("The cat sat on the mat. It was fat.") < 1
    assert (
        grade("Notwithstanding antecedent communications, appointments necessitate revalidation.")
        > 12
    )


def test_a_letter_has_no_slot_for_why_a_patient_comes() -> None:
    slots = {field.name for kind in (Letter, VisitSlot) for field in fields(kind)}
    assert not [name for name in slots if re.search("reason|type|specialty|family|note", name)]


def test_a_name_in_a_subject_begins_no_header_of_its_own() -> None:
    letter = replace(LONGEST, clinic_name="Riverside\r\nBcc: all@mail.example")
    for case in EMAILS:
        assert "\n" not in case.say("en", letter).subject
        assert "\r" not in case.say("en", letter).subject


def test_where_nobody_has_a_name_the_clinic_speaks_all_the_same() -> None:
    letter = replace(LONGEST, given_name="", visits=(replace(VISIT, provider="李 明"),))
    for case in TEXTS:
        text = case.say("en", letter).text
        assert text.startswith(f"{LONGEST.sms_name}: ")
        assert ", ," not in text and "  " not in text and ", ." not in text


@pytest.mark.parametrize("language", ["", "xx", "en-US", "ht"])
def test_who_reads_another_language_gets_the_sites_own(language: str) -> None:
    case = Case(Kind.REMINDER, Channel.EMAIL)
    assert case.say(language) == case.say("en")


def test_spanish_of_any_country_is_spanish() -> None:
    case = Case(Kind.REMINDER, Channel.EMAIL)
    assert case.say("es-MX") == case.say("es") != case.say("en")


def test_one_kind_speaks_for_several_in_a_message() -> None:
    letter = replace(
        LONGEST, visits=(VISIT, replace(VISIT, start=VISIT.start + timedelta(hours=1)))
    )
    both = render(
        kinds=["REMINDER", "FOLLOW_UP"], channel=Channel.EMAIL, language="en", letter=letter
    )
    assert both == Case(Kind.FOLLOW_UP, Channel.EMAIL).say("en", letter)


def test_a_kind_without_words_is_an_error() -> None:
    with pytest.raises(ValueError, match="NOTHING"):
        render(kinds=["NOTHING"], channel=Channel.SMS, language="en", letter=LONGEST)
    with pytest.raises(TemplateDoesNotExist):
        render(kinds=["SIGN_IN_CODE"], channel=Channel.PUSH, language="en", letter=LONGEST)


def test_a_time_that_is_another_where_the_patient_is_says_both() -> None:
    own = VISIT.start.astimezone(ZoneInfo("Pacific/Honolulu"))
    letter = replace(LONGEST, visits=(replace(VISIT, own_start=own),))
    assert "12:45 pm (EST)\nThat is 7:45 am (HST) where you are." in (
        Case(Kind.REMINDER, Channel.EMAIL).say("en", letter).text.replace("\xa0", " ")
    )
    assert "12:45pm EST" in Case(Kind.REMINDER, Channel.SMS).say("en", letter).text
    eve = VISIT.start.astimezone(ZoneInfo("Asia/Tokyo"))
    letter = replace(LONGEST, visits=(replace(VISIT, own_start=eve),))
    assert (
        "Thursday, December 31, 2026, 2:45"
        in Case(Kind.REMINDER, Channel.EMAIL).say("en", letter).text
    )


def test_whoever_may_lose_the_time_is_told_when_asked() -> None:
    warning = "we may give your time to someone else"
    freed = replace(LONGEST, visits=(replace(VISIT, may_be_freed=True),))
    for kind in (Kind.REQUEST, Kind.FOLLOW_UP):
        case = Case(kind, Channel.EMAIL)
        assert warning in case.say("en", freed).text
        assert warning not in case.say("en").text
        assert warning not in replace(case, asks=False).say("en", freed).text


@in_each_language
@given(
    name=st.text(max_size=60),
    provider=st.text(max_size=60),
    clinic=st.text(max_size=60),
    host=st.integers(4, 40),
    minutes=st.integers(0, 20 * 366 * 24 * 60),
    zone=st.sampled_from(["America/New_York", "Pacific/Honolulu", "America/St_Johns", "UTC"]),
    own=st.sampled_from([None, "America/Sao_Paulo", "Pacific/Chatham"]),
    case=st.sampled_from(TEXTS),
)
def test_whatever_people_and_places_are_called_a_text_is_one_part(
    language: str, name: str, provider: str, clinic: str, host: int, minutes: int, zone: str,
    own: str | None, case: Case,
) -> None:  # fmt: skip
    local = (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(
        ZoneInfo(zone)
    )
    visit = replace(
        VISIT,
        start=local,
        provider=provider,
        own_start=local.astimezone(ZoneInfo(own)) if own else None,
    )
    letter = replace(
        LONGEST,
        sms_name=clinic,
        given_name=name,
        visits=(visit,),
        deadline=(visit.own_start or local) - timedelta(hours=5),
        url=LINK.replace("visits.clinic.io", "h" * host),
    )
    text = case.say(language, letter).text
    assert septets(text) <= PART, text
