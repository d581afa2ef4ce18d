"""From a kept time to a booked visit: details, check, code. Every page names the time it keeps."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from patients.codes import CodeRefused
from patients.privacy.pages import Audience, page
from patients.registration import Details
from patients.throttle import TooManyRequests
from patients.visitors import network_of
from scheduling import checkout
from scheduling.drafts import Draft
from scheduling.errors import HoldExpired, SchedulingError
from scheduling.forms.portal import CodeForm, DetailsForm, ReasonForm, SlotForm
from scheduling.forms.portal_wish import UnknownChoice, offered_providers, read_wish
from scheduling.holds import MOST_EXTENSIONS, extend_hold
from scheduling.models import SlotHold
from scheduling.presenters import clock
from scheduling.views.portal_choices import PortalRequest, actor_of, answer, known_browser, records_of
from scheduling.views.portal_held import hold_context, own
