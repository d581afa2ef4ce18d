"""Organisations and locations become clinics that wait for a time zone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.hours import save_clinic
from providers.models import Clinic
from tests.emr.conftest import Importer, Resource
from tests.factories import ClinicFactory

Make = Callable[..., Resource]
pytestmark = pytest.mark.django_db


def places() -> list[Clinic]:
    return list(Clinic.objects.exclude(slug="riverside").order_by("slug"))


def test_a_place_is_an_inactive_clinic_without_a_zone(run_import: Importer, resource: Make) -> None:
    address = [{"line": ["363 Highland Avenue"], "city": "Fall River", "state": "MA"}]
    phone = [{"system": "phone", "value": "508-679-3131 Or 508-679-3132"}]
    run_import([resource("Organization", name="Southcoast, Inc", address=address, telecom=phone)])
    [place] = places()
    assert (place.slug, place.is_active, place.time_zone) == ("southcoast-inc", False, None)
    assert place.address == "363 Highland Avenue\nFall River, MA"
    assert place.phone == "+15086793131"


@pytest.mark.parametrize("name", ["Riverside", "診療所", "x" * 300])
def test_any_name_gets_a_slug_of_its_own(run_import: Importer, resource: Make, name: str) -> None:
    made = [resource(kind, name=name) for kind in ("Organization", "Location")]
    run = run_import(made)
    assert (run.count("Organization", "new"), run.count("Location", "new")) == (1, 1)
    assert len({place.slug for place in places()}) == 2
    for place in places():
        place.clean_fields()


def test_a_place_that_was_made_active_stays_so_when_the_source_renames_it(
    run_import: Importer, resource: Make
) -> None:
    run_import([resource("Organization", name="Before")])
    [place] = places()
    place.time_zone, place.is_active = ClinicFactory.create().time_zone, True
    save_clinic(place)
    run_import([resource("Organization", name="After")])
    place.refresh_from_db()
    assert (place.name, place.slug, place.is_active) == ("After", "before", True)
