"""What a request leaves in the audit, whoever asks and whatever they send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import Error
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch

from patients import looks
from patients.models import AuditEntry, Patient
from patients.models.audit import Act, Outcome
from patients.privacy import audit
from patients.privacy.pages import Audience, page
from patients.privacy.recording import AccessRecordMiddleware, StreamsPatients
from patients.visitors import SESSION_KEY, browser_of
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
View = Callable[..., HttpResponse]


def entries() -> list[AuditEntry]:
    """The rows that pages left, oldest first."""
    return list(AuditEntry.objects.exclude(page="").filter(request_id__gt="").order_by("id"))


def ask(
    view: View,
    *,
    user: User | AnonymousUser | None = None,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    name: str = "desk:patient",
    **kwargs: Any,
) -> HttpResponse:
    """Send a request through the middleware to a view, as the URL configuration would."""
    request = RequestFactory().generic(method, "/somewhere", headers=headers)
    request.user = user or AnonymousUser()
    request.session = SessionStore()

    def site(request: HttpRequest) -> HttpResponse:
        namespace, _colon, url_name = name.rpartition(":")
        request.resolver_match = ResolverMatch(
            view, (), kwargs, url_name, namespaces=[namespace] if namespace else []
        )
        recorder.process_view(request, view, (), kwargs)
        declared = getattr(view, "page", None)
        if declared is not None:
            request.page = declared  # type: ignore[attr-defined]
        return view(request, **kwargs)

    recorder = AccessRecordMiddleware(site)
    return recorder(request)


def showing(
    patient: Patient, *, status: int = 200, phi: bool = True, passive: bool = False
) -> View:
    """A page of the desk that shows somebody's name."""

    @page(audience=Audience.DESK, permission="view_patients", phi=phi, passive=passive)
    def view(request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        known = Patient.objects.get(pk=patient.pk)
        return HttpResponse(known.given_name, status=status)

    return view


@pytest.fixture
def receptionist() -> User:
    return UserFactory.create()


def test_a_page_leaves_one_row_of_whom_it_shows(patient: Patient, receptionist: User) -> None:
    answer = ask(showing(patient), user=receptionist, pk=patient.pk)
    assert answer.status_code == 200
    (entry,) = entries()
    assert (entry.actor, entry.page) == (receptionist, "desk:patient")
    assert (entry.patient_ids, entry.field_names) == ([patient.pk], ["given_name"])
    assert (entry.action, entry.outcome) == (Act.ACCESS, Outcome.DONE)
    assert (entry.purpose, entry.object_pk) == ("scheduling", str(patient.pk))


def test_a_page_that_shows_nobody_leaves_its_row_too(receptionist: User) -> None:
    @page(audience=Audience.DESK, permission="view_patients", phi=True)
    def view(request: HttpRequest) -> HttpResponse:
        audit.mark(action=Act.SEARCH)
        return HttpResponse("Nobody of this name")

    ask(view, user=receptionist, name="desk:finder")
    (entry,) = entries()
    assert (entry.patient_ids, entry.action) == ([], Act.SEARCH)


def test_a_page_that_declares_no_phi_is_recorded_for_what_it_opens(
    patient: Patient, receptionist: User
) -> None:
    ask(showing(patient, phi=False), user=receptionist)
    (entry,) = entries()
    assert entry.patient_ids == [patient.pk]


def test_a_page_without_patients_leaves_none(receptionist: User) -> None:
    @page(audience=Audience.PUBLIC)
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("Opening hours")

    ask(view, user=receptionist)
    assert entries() == []


@pytest.mark.parametrize("status", [204, 304])
def test_a_poll_that_shows_nothing_new_leaves_none(
    status: int, patient: Patient, receptionist: User
) -> None:
    ask(showing(patient, status=status, passive=True), user=receptionist)
    assert entries() == []


def test_a_poll_that_shows_something_is_recorded(patient: Patient, receptionist: User) -> None:
    ask(showing(patient, passive=True), user=receptionist)
    assert len(entries()) == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DONE),
        (303, Outcome.DONE),
        (409, Outcome.DONE),
        (422, Outcome.DONE),
        (401, Outcome.DENIED),
        (403, Outcome.DENIED),
        (404, Outcome.DENIED),
        (405, Outcome.DENIED),
        (429, Outcome.DENIED),
        (500, Outcome.FAILED),
    ],
)
def test_the_answer_says_how_it_ended(
    status: int, outcome: Outcome, patient: Patient, receptionist: User
) -> None:
    ask(showing(patient, status=status), user=receptionist)
    (entry,) = entries()
    assert entry.outcome == outcome


def test_a_denied_try_names_what_was_asked_for(patient: Patient, receptionist: User) -> None:
    @page(audience=Audience.DESK, permission="view_patients", phi=True)
    def not_theirs(request: HttpRequest, pk: UUID) -> HttpResponse:
        return HttpResponse(status=404)

    ask(not_theirs, user=receptionist, pk=patient.pk)
    ask(not_theirs, user=receptionist, pk=uuid4())
    known, unknown = entries()
    assert (known.outcome, known.object_pk) == (Outcome.DENIED, str(patient.pk))
    assert known.patient_ids == [patient.pk]
    assert (unknown.outcome, unknown.patient_ids) == (Outcome.DENIED, [])


def test_a_token_in_an_address_is_not_written_down(receptionist: User) -> None:
    @page(audience=Audience.PUBLIC, phi=True)
    def link(request: HttpRequest, token: str) -> HttpResponse:
        return HttpResponse("The visit")

    ask(link, token="a-secret-of-22-letters", name="portal:link")
    (entry,) = entries()
    assert "a-secret" not in str(entry.__dict__)


def test_whoever_is_sent_to_sign_in_was_denied(patient: Patient) -> None:
    ask(showing(patient, status=302))
    (entry,) = entries()
    assert (entry.outcome, entry.actor) == (Outcome.DENIED, None)


def test_a_visitor_is_known_by_the_browser_alone(patient: Patient) -> None:
    @page(audience=Audience.PUBLIC, phi=True)
    def view(request: HttpRequest) -> HttpResponse:
        seen.append(browser_of(request))
        looks.note(patient.pk, "given_name")
        return HttpResponse("Your visit")

    seen: list[str] = []
    ask(view, name="portal:booked")
    (entry,) = entries()
    assert (entry.system_actor, entry.browser) == (audit.VISITOR, seen[0])
    assert entry.purpose == "own_record"


def test_a_look_makes_no_browser_known() -> None:
    @page(audience=Audience.PUBLIC, phi=True)
    def view(request: HttpRequest) -> HttpResponse:
        sessions.append(request.session)
        return HttpResponse("Sign in")

    sessions: list[Any] = []
    ask(view, name="portal:sign_in")
    assert SESSION_KEY not in sessions[0]
    assert not sessions[0].modified


def test_somebody_who_signs_in_on_the_way_is_who_it_was(
    patient: Patient, receptionist: User
) -> None:
    @page(audience=Audience.PUBLIC, phi=True)
    def sign_in(request: HttpRequest) -> HttpResponse:
        request.user = receptionist
        return HttpResponse("Welcome")

    ask(sign_in, name="portal:sign_in_code")
    (entry,) = entries()
    assert entry.actor == receptionist


def test_a_page_that_streams_patients_is_refused(receptionist: User) -> None:
    @page(audience=Audience.DESK, permission="view_patients", phi=True)
    def view(request: HttpRequest) -> Any:
        return StreamingHttpResponse([b"Ada"])

    with pytest.raises(StreamsPatients):
        ask(view, user=receptionist)


def test_what_a_stream_opens_late_opens_nothing(
    patient: Patient, receptionist: User, settings: Any
) -> None:
    settings.LOOKS_MUST_BE_RECORDED = True

    @page(audience=Audience.STAFF)
    def view(request: HttpRequest) -> Any:
        known = Patient.objects.get(pk=patient.pk)
        return StreamingHttpResponse(known.given_name for _once in range(1))

    answer: Any = ask(view, user=receptionist)
    with pytest.raises(looks.Unrecorded):
        list(answer.streaming_content)


HOSTILE = ["x" * 4096, "a\nb", "a\x00b", "<script>", "'; DROP", "..", "é", "short", "", " ", "%00"]


@pytest.mark.parametrize("sent", HOSTILE)
def test_a_hostile_request_id_is_replaced(sent: str, patient: Patient, receptionist: User) -> None:
    ask(showing(patient), user=receptionist, headers={"X-Request-ID": sent})
    (entry,) = entries()
    assert entry.request_id != sent
    assert len(entry.request_id) == 32


def test_a_proxys_request_id_is_kept(patient: Patient, receptionist: User) -> None:
    ask(showing(patient), user=receptionist, headers={"X-Request-ID": "edge-7f3a_0001"})
    (entry,) = entries()
    assert entry.request_id == "edge-7f3a_0001"


@pytest.mark.parametrize("sent", ["x" * 4096, "a\nb", "a\x00b", "1.2.3.4, nonsense", "", ","])
@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_no_forwarding_header_makes_a_look_fail(
    sent: str, proxies: int, patient: Patient, receptionist: User, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    ask(showing(patient), user=receptionist, headers={"X-Forwarded-For": sent})
    (entry,) = entries()
    assert entry.remote_addr in {"127.0.0.1", "1.2.3.4"}


def test_the_trusted_proxys_word_is_the_clients_address(
    patient: Patient, receptionist: User, settings: Any
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    ask(showing(patient), user=receptionist, headers={"X-Forwarded-For": "6.6.6.6, 192.0.2.7"})
    (entry,) = entries()
    assert entry.remote_addr == "192.0.2.7"


@pytest.fixture
def unwritable(patient: Patient, receptionist: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no row can be written; what the test needs is there already."""

    def refuse(row: dict[str, Any]) -> None:
        raise Error("the table is full")

    monkeypatch.setattr(audit, "write", refuse)


@pytest.mark.usefixtures("unwritable")
def test_nothing_of_a_page_leaves_whose_row_cannot_be_written(
    patient: Patient, receptionist: User
) -> None:
    answer = ask(showing(patient), user=receptionist)
    assert answer.status_code == 503
    assert patient.given_name.encode() not in answer.content


@pytest.mark.usefixtures("unwritable")
def test_after_an_act_the_answer_says_that_it_may_stand(
    patient: Patient, receptionist: User
) -> None:
    @page(audience=Audience.DESK, permission="manage_patients", methods=("POST",), phi=True)
    def act(request: HttpRequest) -> HttpResponse:
        return HttpResponse("Done")

    answer = ask(act, user=receptionist, method="POST")
    assert answer.status_code == 503
    assert b"may have been done" in answer.content
