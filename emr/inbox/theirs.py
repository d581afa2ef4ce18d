"""Reads another system's appointment in our words: when, with which provider of ours, of what type.

Looks rows up and writes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emr.fhir.references import ids_of
from emr.fhir.statuses import ENTERED_IN_ERROR, from_fhir
from emr.fhir.systems import OWN_VISIT_TYPES
from emr.fhir.tolerant import items, part, text
from emr.models import EMRCode, EMRConnection, EMRLink
from emr.standings import Standing
from emr.visits import Remote
from providers.models import Provider, VisitType
from scheduling.models import Appointment, CancelReason
from scheduling.transitions import Status

DEFAULT_LENGTH = timedelta(minutes=30)
DEFAULT_TYPE = "FOLLOW_UP"
_WHO_CANCELLED = {"pat": CancelReason.PATIENT_REQUEST, "prov": CancelReason.PROVIDER_AWAY}


@dataclass(frozen=True, slots=True)
class Theirs:
    """`start` and `provider` are None where the other side does not say them, or none known."""

    remote: Remote
    status: Status
    has_arrived: bool
    start: datetime | None
    end: datetime | None
    provider: Provider | None

    @property
    def is_in_error(self) -> bool:
        return self.remote.status == ENTERED_IN_ERROR

    def standing(self, ours: Standing) -> Standing:
        """Return where it stands there; what they leave out stands as it does with us."""
        start = self.start or ours.start
        end = self.end or start + (ours.end - ours.start)
        return Standing(
            start=start,
            end=end if end > start else start + (ours.end - ours.start),
            provider=str(self.provider.pk) if self.provider else "",
            status=self.status,
            has_arrived=self.has_arrived,
            is_confirmed=self.remote.is_confirmed,
        )


def read(
    remote: Remote, *, connection: EMRConnection, npi: str = "", ours: Appointment | None = None
) -> Theirs:
    """Read an appointment of theirs. Of several providers ours of now counts first.

    Raises emr.fhir.errors.Refused for a status that no visit can have.
    """
    status, has_arrived = from_fhir(remote.status)
    known = _providers(remote, connection, npi)
    same = [one for one in known if ours is not None and one.pk == ours.provider_id]
    return Theirs(
        remote=remote,
        status=status,
        has_arrived=has_arrived,
        start=remote.start and remote.start.astimezone(UTC),
        end=remote.end and remote.end.astimezone(UTC),
        provider=next(iter(same or known), None),
    )


def end_of(theirs: Theirs, kind: VisitType) -> datetime | None:
    """Return when a visit that is new here ends: as told, else by its type."""
    if theirs.start is None or (theirs.end is not None and theirs.end > theirs.start):
        return theirs.end
    minutes = timedelta(minutes=kind.minutes) if kind.minutes else DEFAULT_LENGTH
    return theirs.start + minutes


def visit_type(remote: Remote, connection: EMRConnection) -> tuple[VisitType | None, bool]:
    """Return the type that the codes name, and True; else the most ordinary one, and False."""
    said = {(one.system, one.code) for one in remote.codes}
    for row in EMRCode.objects.filter(connection=connection).select_related("visit_type"):
        if (row.system, row.code) in said or (not row.system and row.code in {c for _, c in said}):
            return row.visit_type, True
    ours = [code for system, code in said if system == OWN_VISIT_TYPES]
    named = VisitType.objects.filter(code__in=ours).first()
    if named is not None:
        return named, True
    kinds = VisitType.objects.order_by("code")
    return kinds.filter(code=DEFAULT_TYPE).first() or kinds.first(), False


def cancel_reason(theirs: Theirs) -> CancelReason:
    """Return why it was called off there, as far as our words say it."""
    if theirs.is_in_error:
        return CancelReason.BOOKED_IN_ERROR
    said = part(theirs.remote.raw.get("cancelationReason"))
    codes = [text(code.get("code")).partition("-")[0] for code in items(said.get("coding"))]
    known = [_WHO_CANCELLED[code] for code in codes if code in _WHO_CANCELLED]
    return known[0] if known else CancelReason.OTHER


def _providers(remote: Remote, connection: EMRConnection, npi: str) -> list[Provider]:
    """Return the providers of ours that take part, in the order in which they are named."""
    links = EMRLink.objects.filter(
        source_system=connection.source_system,
        local_model=Provider._meta.label_lower,
        resource_id__in=remote.provider_ids,
        ended_at=None,
    )
    by_id = dict(links.values_list("resource_id", "local_id"))
    wanted = list(dict.fromkeys(by_id[one] for one in remote.provider_ids if one in by_id))
    found = Provider.objects.in_bulk(wanted)
    linked = [found[pk] for pk in wanted if pk in found]
    named = Provider.objects.filter(npi_number=npi) if npi else Provider.objects.none()
    return linked or list(named)


def roles_in(remote: Remote) -> tuple[str, ...]:
    """Return the ids of the roles that take part, who stand for a provider each."""
    actors = [one.get("actor") for one in items(remote.raw.get("participant"))]
    return ids_of(actors, "PractitionerRole")
