"""What was made, by the body or the headers of an answer."""

from __future__ import annotations

import pytest

from emr.drivers.answers import made, remote
from emr.failures import Refused, Unsure
from emr.transport import Reply


def reply(location: str = "", etag: str = "", **body: object) -> Reply:
    return Reply(201, {}, body, etag=etag, location=location)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(resourceType="Appointment", id="7", meta={"versionId": "2"}), ("7", "2")),
        (reply(resourceType="Appointment", id="7", etag="3"), ("7", "3")),
        (reply("https://x/r4/Appointment/7", etag="0"), ("7", "0")),
        (reply("Appointment/7/_history/4"), ("7", "4")),
        (reply("/fhir/Appointment/7"), ("7", "")),
        (reply("https://x/Appointment/7", resourceType="OperationOutcome"), ("7", "")),
    ],
)
def test_the_id_is_in_the_body_or_the_location(answer: Reply, expected: tuple[str, str]) -> None:
    assert made(answer, "Appointment") == expected


@pytest.mark.parametrize(
    "answer",
    [reply(), reply("https://x/Patient/7"), reply("nonsense"), reply(resourceType="Appointment")],
)
def test_what_was_made_without_a_name_must_be_searched_for(answer: Reply) -> None:
    with pytest.raises(Unsure):
        made(answer, "Appointment")


def test_a_version_stands_in_the_resource_or_else_in_the_header() -> None:
    assert remote({"id": "7"}, etag="3").version_id == "3"
    assert remote({"id": "7", "meta": {"versionId": "2"}}, etag="3").version_id == "2"


def test_what_cannot_be_read_is_refused_with_a_code_alone() -> None:
    with pytest.raises(Refused) as caught:
        remote({"id": "x y", "description": "Ada Moreno"})
    assert caught.value.codes == ("unreadable", "no-id")
