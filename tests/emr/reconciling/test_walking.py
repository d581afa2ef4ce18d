"""A clinic's visits beside those of a running record system: what differs is found, and cured."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from emr.fhir.appointment import own_value
from emr.kinds import Source, State
from emr.models import EMRConnection, EMRLink, InboundMessage, OutboundMessage
from emr.outbox.visits import standing_of
from providers.models import Provider, VisitType
from scheduling import booking
from scheduling.models import Appointment
from tests.emr.peers import Fault, Peer
from tests.factories import AppointmentFactory, PatientFactory, at, next_monday, someone_at_the_desk
from tests.factories.emr import connection_to, link_to

pytestmark = pytest.mark.django_db
DAY, HALF = timedelta(days=1), timedelta(minutes=30)
OWN = "urn:ietf:rfc:3986"


class Town:
    """A clinic and a record system, with visits that both have."""

    def __init__(self, peer: Peer, provider: Provider, visit_type: VisitType) -> None:
        self.peer, self.provider, self.visit_type = peer, provider, visit_type
        self.connection: EMRConnection = connection_to(peer, provider.clinic)
        self.practitioner = EMRLink.objects.get(local_id=provider.pk).resource_id
        self.day = next_monday()

    def here(self, clock: str, **rest: Any) -> Appointment:
        """Book a visit of which nothing is told there."""
        visit = AppointmentFactory.create(
            provider=self.provider,
            visit_type=self.visit_type,
            start=at(self.day, clock),
            patient=PatientFactory.create(clinic=self.provider.clinic),
            **rest,
        )
        OutboundMessage.objects.all().delete()
        return visit

    def there(self, start: datetime, **rest: Any) -> str:
        patient = rest.pop("patient", None) or self.peer.add_patient()
        return self.peer.add_appointment(
            start=start, patient=patient, practitioner=self.practitioner, **rest
        )

    def both(self, clock: str) -> tuple[Appointment, str]:
        """Have a visit on which both sides agree."""
        visit = self.here(clock)
        numbers = [(OWN, own_value(visit.pk))]
        remote = self.there(visit.scheduled_start, identifiers=numbers)
        link_to(
            self.connection,
            visit,
            "Appointment",
            remote,
            version_id="1",
            agreed=standing_of(visit).as_json(),
            agreed_version=visit.version,
        )
        return visit, remote

    def run(self, *more: str) -> tuple[list[dict[str, str]], int]:
        """Return the lines of a comparison of the week, and its exit code."""
        out = StringIO()
        span = [f"--from={self.day}", f"--until={self.day + 5 * DAY}", "--json", *more]
        try:
            call_command("emr_reconcile", f"--connection={self.connection.pk}", *span, stdout=out)
        except CommandError as error:
            return _lines(out), error.returncode
        return _lines(out), 0


def _lines(out: StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.fixture
def town(generic: Peer, provider: Provider, visit_type: VisitType) -> Town:
    return Town(generic, provider, visit_type)


def only(lines: list[dict[str, str]]) -> tuple[str, str, str, str]:
    [line] = lines
    return line["kind"], line["cure"], line["appointment"], line["remote"]


class TestWhatDoesNotAgree:
    def test_nothing_where_both_have_the_same(self, town: Town) -> None:
        for clock in ("09:00", "10:00", "11:00"):
            town.both(clock)
        assert town.run() == ([], 0)

    def test_a_visit_that_they_never_had(self, town: Town) -> None:
        visit = town.here("09:00")
        lines, code = town.run()
        assert only(lines) == ("MISSING_THERE", "TELL", str(visit.pk), "")
        assert code == 1
        assert lines[0]["day"] == town.day.isoformat()

    def test_a_visit_that_is_gone_there(self, town: Town) -> None:
        visit, remote = town.both("09:00")
        town.peer.store.delete("Appointment", remote)
        assert only(town.run()[0]) == ("MISSING_THERE", "READ", str(visit.pk), remote)

    def test_an_appointment_that_we_never_had(self, town: Town) -> None:
        remote = town.there(at(town.day, "09:00"))
        assert only(town.run()[0]) == ("MISSING_HERE", "READ", "", remote)

    def test_one_that_was_called_off_there_is_nobodys_loss(self, town: Town) -> None:
        town.there(at(town.day, "09:00"), status="cancelled")
        town.here("10:00")
        visit = Appointment.objects.get()
        booking.cancel(
            appointment=visit, reason="OTHER", by=someone_at_the_desk(), now=timezone.now()
        )
        OutboundMessage.objects.all().delete()
        assert town.run() == ([], 0)

    def test_the_same_visit_there_twice(self, town: Town) -> None:
        visit, _remote = town.both("09:00")
        copy = town.there(visit.scheduled_start, identifiers=[(OWN, own_value(visit.pk))])
        assert only(town.run()[0]) == ("DUPLICATE_THERE", "PERSON", str(visit.pk), copy)

    def test_a_copy_without_our_number_is_known_by_patient_and_time(self, town: Town) -> None:
        visit, remote = town.both("09:00")
        patient = town.peer.store.read("Appointment", remote)["participant"][0]["actor"]
        theirs = patient["reference"].rpartition("/")[2]
        link_to(town.connection, visit.patient, "Patient", theirs)
        copy = town.there(visit.scheduled_start, patient=theirs)
        assert only(town.run()[0]) == ("DUPLICATE_THERE", "PERSON", str(visit.pk), copy)

    def test_a_visit_of_both_that_nobody_has_joined(self, town: Town) -> None:
        visit = town.here("09:00")
        remote = town.there(visit.scheduled_start, identifiers=[(OWN, own_value(visit.pk))])
        assert only(town.run()[0]) == ("UNLINKED", "READ", str(visit.pk), remote)

    def test_another_status_there(self, town: Town) -> None:
        visit, remote = town.both("09:00")
        town.peer.change("Appointment", remote, status="cancelled")
        assert only(town.run()[0]) == ("STATUS", "READ", str(visit.pk), remote)

    def test_another_status_here(self, town: Town) -> None:
        visit, remote = town.both("09:00")
        booking.cancel(
            appointment=visit, reason="OTHER", by=someone_at_the_desk(), now=timezone.now()
        )
        OutboundMessage.objects.all().delete()
        assert only(town.run()[0]) == ("STATUS", "TELL", str(visit.pk), remote)

    def test_another_time_there_on_another_day(self, town: Town) -> None:
        visit, remote = town.both("09:00")
        times = {
            name: (value + DAY).isoformat()
            for name, value in (("start", visit.scheduled_start), ("end", visit.scheduled_end))
        }
        town.peer.change("Appointment", remote, **times)
        assert only(town.run()[0]) == ("TIME", "READ", str(visit.pk), remote)

    def test_a_status_that_no_visit_can_have(self, town: Town) -> None:
        visit, remote = town.both("09:00")
        town.peer.change("Appointment", remote, status="waitlist")
        assert only(town.run()[0]) == ("STATUS", "READ", str(visit.pk), remote)

    def test_what_is_on_its_way_is_not_told(self, town: Town) -> None:
        visit, _remote = town.both("09:00")
        booking.cancel(
            appointment=visit, reason="OTHER", by=someone_at_the_desk(), now=timezone.now()
        )
        assert OutboundMessage.objects.filter(state=State.QUEUED).exists()
        assert town.run() == ([], 0)

    def test_a_version_seen_before_that_says_something_else_is_for_a_person(
        self, town: Town
    ) -> None:
        visit, remote = town.both("09:00")
        EMRLink.objects.filter(resource_id=remote).update(version_id="2")
        town.peer.change("Appointment", remote, status="noshow")
        assert only(town.run()[0]) == ("STATUS", "PERSON", str(visit.pk), remote)


class TestTheCure:
    def test_a_dry_run_queues_nothing(self, town: Town) -> None:
        town.here("09:00")
        town.there(at(town.day, "11:00"))
        lines, code = town.run()
        assert (len(lines), code) == (2, 1)
        assert not OutboundMessage.objects.exists()
        assert not InboundMessage.objects.exists()

    def test_each_goes_by_its_own_queue(self, town: Town) -> None:
        visit = town.here("09:00")
        remote = town.there(at(town.day, "11:00"))
        _lines, code = town.run("--fix")
        assert code == 0
        [sent] = OutboundMessage.objects.all()
        assert (sent.appointment_id, sent.state) == (visit.pk, State.QUEUED)
        [came] = InboundMessage.objects.all()
        assert (came.source, came.resource_id) == (Source.RECONCILE, remote)

    def test_a_second_run_finds_it_on_its_way(self, town: Town) -> None:
        town.here("09:00")
        town.there(at(town.day, "11:00"))
        town.run("--fix")
        assert town.run() == ([], 0)


class TestTheRun:
    def test_goes_on_where_it_was_ended(self, town: Town, tmp_path: Path) -> None:
        file = tmp_path / "mark"
        town.here("09:00")
        town.peer.fail(Fault.STATUS(400), on=("GET", "Appointment"))
        assert town.run(f"--resume={file}")[1] == 3
        assert not file.exists()
        searches = len(town.peer.calls_to("GET", "Appointment"))
        assert town.run(f"--resume={file}")[1] == 1
        assert len(town.peer.calls_to("GET", "Appointment")) == searches + 5
        assert not file.exists()

    def test_leaves_out_what_was_compared_before(self, town: Town, tmp_path: Path) -> None:
        file = tmp_path / "mark"
        span = f"{town.connection.pk} {town.day} {town.day + 5 * DAY}"
        mark = {"about": span, "provider": str(town.provider.pk), "day": str(town.day + DAY)}
        file.write_text(json.dumps(mark))
        town.here("09:00")
        assert town.run(f"--resume={file}") == ([], 0)
        assert len(town.peer.calls_to("GET", "Appointment")) == 3

    @pytest.mark.parametrize("text", ["{}", "no json", '{"about": "x"}', "[]"])
    def test_takes_no_other_files_word(self, town: Town, tmp_path: Path, text: str) -> None:
        file = tmp_path / "mark"
        file.write_text(text)
        assert town.run(f"--resume={file}")[1] == 2
        assert file.read_text() == text

    @pytest.mark.parametrize(
        "wrong",
        [
            ["--connection=nobody"],
            ["--connection={}", "--from=yesterday"],
            ["--connection={}", "--from=2026-01-02", "--until=2026-01-02"],
            ["--connection={}", "--from=2026-01-01", "--until=2028-01-01"],
        ],
    )
    def test_says_what_is_wrong_with_its_input(self, town: Town, wrong: list[str]) -> None:
        given = [one.format(town.connection.pk) for one in wrong]
        with pytest.raises(CommandError) as error:
            call_command("emr_reconcile", *given)
        assert error.value.returncode == 2

    def test_names_nobody(self, town: Town) -> None:
        visit = town.here("09:00", reason="a rash on the left hand")
        out = StringIO()
        with pytest.raises(CommandError):
            call_command(
                "emr_reconcile",
                f"--connection={town.connection.name}",
                f"--from={town.day}",
                f"--until={town.day + DAY}",
                stdout=out,
            )
        told = out.getvalue()
        assert str(visit.pk) in told
        for word in (visit.patient.family_name, "rash", town.provider.name):
            assert word not in told
