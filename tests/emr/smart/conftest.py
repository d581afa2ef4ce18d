"""A connection that proves by signature, and the keys it signs with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from emr.kinds import Algorithm, Auth
from emr.models import EMRConnection, SigningKey
from emr.smart import keys, tokens
from providers.models import Clinic
from tests.factories.emr import EMRConnectionFactory


@pytest.fixture(autouse=True)
def _no_tokens() -> Iterator[None]:
    """No token was asked for yet."""
    tokens.forget()
    yield
    tokens.forget()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def key(db: None, now: datetime) -> SigningKey:
    return keys.new_key(Algorithm.ES384, signs_from=now - timedelta(minutes=1), now=now)


@pytest.fixture
def connection(clinic: Clinic) -> EMRConnection:
    return EMRConnectionFactory.create(
        clinic=clinic,
        auth=Auth.PRIVATE_KEY.value,
        client_id="daysheet",
        token_url="http://127.0.0.1:9/token",
        scopes=["system/Patient.rs"],
    )
