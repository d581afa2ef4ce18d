"""The patient's way to a free time: one question a page, answers in the address, no script."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from patients.privacy.pages import Audience, page
from patients.registration import ACCOUNT_PREFIX
from patients.visitors import browser_of, network_of
from providers.models import Clinic, InsurancePlan, Provider, Specialty, VisitType
from scheduling import checkout
from scheduling.availability import DayOpenings, FreeSlot, days_with_openings, nearest, search
from scheduling.drafts import Draft
from scheduling.errors import SchedulingError, SlotTaken, TooManyHolds
from scheduling.forms.portal import (
    NONE_OF_THESE,
    DayForm,
    PreferencesForm,
    SlotForm,
    VisitForm,
    WhoForm,
    slot_value,
)
from scheduling.forms.portal_wish import offered_providers, online_types
from scheduling.models import SlotHold
from scheduling.placing import place
from scheduling.policies import terms_for
from scheduling.presenters import clock, long_date
from scheduling.views.portal_choices import (
    PortalRequest,
    actor_of,
    answer,
    offers,
    open_question,
    own_hold,
    records_of,
    wish_of,
)
