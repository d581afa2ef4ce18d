"""Sessions stand sealed in the table; changed or exchanged ones open nothing."""

from __future__ import annotations

import base64
import zlib
from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.messages import success
from django.contrib.messages.storage.session import SessionStorage
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client, RequestFactory, override_settings

from patients.privacy.sessions import SessionStore
from tests.factories import UserFactory
from tests.patients.rings import NEW

pytestmark = pytest.mark.django_db


@pytest.fixture
def store() -> SessionStore:
    kept = SessionStore()
    kept["note"] = "Adaeze Moreno is booked. ñ 你"
    kept.save()
    return kept


def data_of(store: SessionStore) -> str:
    return Session.objects.get(session_key=store.session_key).session_data


def write(store: SessionStore, data: str) -> None:
    Session.objects.filter(session_key=store.session_key).update(session_data=data)


def again(store: SessionStore) -> SessionStore:
    return SessionStore(store.session_key)


def test_it_is_the_store_that_the_site_uses() -> None:
    assert import_module(settings.SESSION_ENGINE).SessionStore is SessionStore


def test_what_is_kept_comes_back_and_does_not_stand_in_the_table(store: SessionStore) -> None:
    assert again(store)["note"] == "Adaeze Moreno is booked. ñ 你"
    data = data_of(store)
    bodies = [data.encode(), base64.b64decode(data.split(".")[2])]
    assert not any(b"Adaeze" in body or b"note" in body for body in bodies)
    for body in bodies:
        with pytest.raises(zlib.error):
            zlib.decompress(body)


def test_no_library_key_opens_it(store: SessionStore) -> None:
    with pytest.raises(signing.BadSignature):
        signing.loads(data_of(store), salt="django.contrib.sessions.SessionStore")


def test_a_session_moved_under_another_key_opens_nothing(store: SessionStore) -> None:
    other = SessionStore()
    other["note"] = "mine"
    other.save()
    write(other, data_of(store))
    assert again(other).get("note") is None
    assert again(store)["note"]


@pytest.mark.parametrize("damage", [lambda text: text[:-4] + "AAAA", lambda text: "", str.swapcase])
def test_a_changed_session_opens_nothing(store: SessionStore, damage: object) -> None:
    assert callable(damage)
    write(store, damage(data_of(store)))
    assert again(store).get("note") is None


def test_a_session_in_clear_opens_nothing(store: SessionStore) -> None:
    plain = signing.dumps({"note": "forged"}, salt="django.contrib.sessions.SessionStore")
    write(store, plain)
    assert again(store).get("note") is None


def test_a_session_under_a_key_that_is_gone_signs_its_user_out(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(UserFactory.create())
    assert "_auth_user_id" in client.session
    with override_settings(DATA_KEYS=NEW):
        assert "_auth_user_id" not in client.session
    assert "session.refused" in caplog.text
    assert str(client.session.session_key) not in caplog.text


def test_a_new_session_key_keeps_what_was_said(store: SessionStore) -> None:
    before = store.session_key
    store.cycle_key()
    store.save()
    assert store.session_key != before
    assert again(store)["note"]
    assert not Session.objects.filter(session_key=before).exists()


def test_messages_wait_sealed() -> None:
    request = RequestFactory().get("/")
    request.session = SessionStore()
    request._messages = SessionStorage(request)  # type: ignore[attr-defined]
    success(request, "Adaeze Moreno is booked.")
    request._messages.update(None)  # type: ignore[attr-defined]
    request.session.save()
    kept = SessionStore(request.session.session_key)
    assert "Adaeze" in str(dict(kept.items()))
    assert "Adaeze" not in base64.b64decode(data_of(kept).split(".")[2]).decode("latin-1")
