"""A clinic's manager at work, and a provider of somebody else's clinic."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from providers.models import Clinic, Provider, Role
from tests.factories import ClinicFactory, MembershipFactory, ProviderFactory, UserFactory
from tests.providers.setup_pages import browser_of


@pytest.fixture
def manager(clinic: Clinic) -> User:
    user: User = UserFactory.create(is_staff=True)
    MembershipFactory.create(user=user, clinic=clinic, role=Role.CLINIC_ADMIN)
    return user


@pytest.fixture
def site(manager: User) -> Client:
    """A browser in which the clinic's manager is signed in."""
    return browser_of(manager)


@pytest.fixture
def elsewhere() -> Provider:
    """A provider of another clinic."""
    return ProviderFactory.create(clinic=ClinicFactory.create(name="Elsewhere"), working=True)
