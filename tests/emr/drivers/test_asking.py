"""Asking in turn, page by page, and what may never be asked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from emr.drivers.asking import Asker, escaped, page_of, token
from emr.failures import Refused, TryLater
from emr.profiles import GENERIC
from emr.transport import Transport
from providers.models import Clinic
from tests.emr.peers import Fault, Peer
from tests.factories.emr import connection_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def asker(generic: Peer, clinic: Clinic) -> Iterator[Asker]:
    connection = connection_to(generic, clinic)
    made = Asker(connection, Transport(generic.base_url, timeout=5), GENERIC)
    yield made
    made.close()


def test_what_must_never_be_asked_again_is_refused_whatever_its_status(
    asker: Asker, generic: Peer
) -> None:
    generic.fail(Fault.STATUS(500), times=2, on=("GET", "Slot"))
    with pytest.raises(TryLater):
        asker.read("Slot", "1")
    with pytest.raises(Refused) as caught:
        replace(asker, profile=replace(GENERIC, never_again=frozenset({"exception"}))).read(
            "Slot", "1"
        )
    assert "exception" in caught.value.codes


def test_a_search_that_leads_in_a_circle_is_refused(asker: Asker, generic: Peer) -> None:
    circle = f"{generic.base_url}/Patient?_count=1"
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Patient", "id": "1"}}],
        "link": [{"relation": "next", "url": circle}],
    }
    asked: list[str] = []

    class InCircles(Transport):
        def request(self, method: str, path: str, **more: object):  # type: ignore[no-untyped-def]
            asked.append(path)
            reply = super().request(method, "metadata")
            return replace(reply, body=bundle)

    lost = replace(asker, transport=InCircles(generic.base_url, timeout=5))
    with pytest.raises(Refused, match="endless-search"):
        list(lost.found("Patient", []))
    assert asked == ["Patient", circle]


def test_other_resources_and_odd_links_are_left_out_of_a_page() -> None:
    bundle = {
        "entry": [
            {"resource": {"resourceType": "OperationOutcome"}},
            {"resource": {"resourceType": "Patient", "id": "1"}},
            {"resource": "no"},
            7,
        ],
        "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": 7}],
    }
    page = page_of(bundle, "Patient")
    assert [one["id"] for one in page.resources] == ["1"]
    assert page.following == ""
    assert page_of({"entry": None}, "Patient").resources == ()


def test_what_means_something_in_a_search_is_escaped() -> None:
    assert escaped("a,b|c$d\\e") == "a\\,b\\|c\\$d\\\\e"
    assert token("urn:x", "1|2") == "urn:x|1\\|2"
    assert token("", "1") == "1"
