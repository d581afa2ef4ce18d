"""Our own FHIR face, read side: which times can be booked, for whoever asks. Never who or why."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from emr.fhir.face.answering import manifest, searchset
from emr.fhir.face.asking import Wrong
from emr.fhir.face.capability import capability
from emr.offering import files, finding, reading
from emr.views.face_answers import ASKED_FOR_FILES, Answer, base, spoken
from patients.privacy.pages import Audience, page
from providers.models import Clinic

HOUR = 3600
NDJSON = "application/fhir+ndjson"
JSON = "application/json"
file_of_many = partial(spoken, limit=ASKED_FOR_FILES)


@page(audience=Audience.PUBLIC)
@spoken
def metadata(request: HttpRequest) -> Answer:
    """Say what can be asked here."""
    return Answer.of(capability(base=base()), seconds=HOUR)


@page(audience=Audience.PUBLIC)
@spoken
def elsewhere(request: HttpRequest, rest: str = "") -> Answer:
    """Say in FHIR that there is nothing else."""
    raise _nowhere()


@page(audience=Audience.PUBLIC)
@spoken
def search(request: HttpRequest, resource_type: str) -> Answer:
    """Find Schedules, Slots or Locations."""
    params = {name: values for name, values in request.GET.lists() if name != "_format"}
    found = finding.find(resource_type, params, now=timezone.now())
    bundle = searchset(
        found.resources,
        base=base(),
        kind=resource_type,
        params=params,
        total=found.total,
        following={"_after": found.after} if found.after else None,
    )
    return Answer.of(bundle)


@page(audience=Audience.PUBLIC)
@spoken
def read(request: HttpRequest, resource_type: str, resource_id: str) -> Answer:
    """Read one resource by its id."""
    found = reading.read(resource_type, resource_id, now=timezone.now())
    if found is None:
        raise _nowhere()
    return Answer.of(found)


@page(audience=Audience.PUBLIC)
@file_of_many
def bulk_publish(request: HttpRequest) -> Answer:
    """List the files of all that is on offer (SMART Scheduling Links)."""
    now = timezone.now().replace(second=0, microsecond=0)
    listed = [("Location", _address("locations")), ("Schedule", _address("schedules"))]
    listed += [("Slot", _address("slots", clinic.pk)) for clinic in files.clinics(now=now)]
    said = manifest(listed, request=f"{base()}/$bulk-publish", at=now)
    return Answer.of(said, media_type=JSON)


@page(audience=Audience.PUBLIC)
@file_of_many
def locations(request: HttpRequest) -> Answer:
    return Answer(files.locations(now=timezone.now()), NDJSON)


@page(audience=Audience.PUBLIC)
@file_of_many
def schedules(request: HttpRequest) -> Answer:
    return Answer(files.schedules(now=timezone.now()), NDJSON)


@page(audience=Audience.PUBLIC)
@file_of_many
def slots(request: HttpRequest, clinic: UUID) -> Answer:
    """Give one clinic's free and busy times of the next two weeks."""
    at = Clinic.objects.active().filter(pk=clinic).first()
    if at is None:
        raise _nowhere()
    return Answer(files.slots(at, now=timezone.now()), NDJSON)


def _nowhere() -> Wrong:
    return Wrong("not-found", "There is no such thing here; see /metadata.", status=404)


def _address(name: str, *args: UUID) -> str:
    return base() + reverse(f"fhir:{name}", args=args).removeprefix(
        reverse("fhir:root").rstrip("/")
    )
