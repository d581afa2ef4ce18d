"""Nobody notices at the desk when Redis goes: who is signed in stays so, and others can sign in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from providers.models import Clinic, Provider, VisitType
from scheduling import block_store
from scheduling.block_store import fetch
from tests.patients.privacy import staff_sign_in
from tests.patients.privacy.staff_sign_in import give_app, member
from tests.scheduling.redis_servers import RedisServer

pytestmark = [pytest.mark.django_db, pytest.mark.real_sign_in, pytest.mark.redis]
BOARD, SIGN_OUT = "/desk/", "/accounts/logout/"


@pytest.mark.parametrize("lose", [RedisServer.kill, RedisServer.freeze])
def test_a_receptionist_stays_signed_in_and_a_colleague_signs_in(
    clinic: Clinic,
    provider: Provider,
    visit_type: VisitType,
    redis_server: RedisServer,
    lose: Callable[[RedisServer], None],
) -> None:
    signed_in, colleague = Client(), Client()
    early, late = member(clinic), member(clinic)
    staff_sign_in.sign_in(signed_in, early, give_app(early))
    assert block_store.is_on()

    lose(redis_server)
    fetch([b"whatever"])
    assert not block_store.is_on()

    assert signed_in.get(BOARD).status_code == 200
    staff_sign_in.sign_in(colleague, late, give_app(late))
    assert colleague.get(BOARD).status_code == 200
    assert signed_in.get(BOARD).status_code == 200
    assert not block_store.is_on()

    colleague.post(SIGN_OUT)
    assert colleague.get(BOARD)["Location"].startswith("/accounts/login/")
    redis_server.stop()
    redis_server.start()
    assert colleague.get(BOARD)["Location"].startswith("/accounts/login/")
    assert signed_in.get(BOARD).status_code == 200
