"""Names, contacts, codes and identifiers in the shapes in which systems send them."""

from __future__ import annotations

from typing import Any

import pytest

from emr.fhir.codes import languages, preferred_language, specialty
from emr.fhir.contacts import Address, current_address, emails, phones
from emr.fhir.errors import Refused
from emr.fhir.identifiers import Identifier, npis, record_numbers
from emr.fhir.identity import identity, referenced_id
from emr.fhir.names import Name, current_name

NUCC = "http://nucc.org/provider-taxonomy"


def test_the_official_name_goes_before_the_maiden_name() -> None:
    names = [
        {"use": "maiden", "family": "Ávila99", "given": ["Eva"]},
        {"use": "official", "family": "Núñez12", "given": ["Eva", "María3"], "suffix": ["PhD"]},
    ]
    assert current_name(names) == Name(given="Eva María3", family="Núñez12", suffix="PhD")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"text": "Prince"}, Name(given="", family="Prince")),
        ("Prince", Name(given="", family="Prince")),
        ([{"given": "Cher"}], Name(given="Cher", family="")),
        ([{}, {"use": "odd", "family": "Last"}], Name(given="", family="Last")),
        ([{"use": "official"}, {"use": "old", "family": "Was"}], Name(given="", family="Was")),
        (
            [{"family": "Before", "period": {"end": "2020"}}, {"family": "Now"}],
            Name(given="", family="Now"),
        ),
        ([], None),
        (None, None),
        ([{"text": " "}], None),
    ],
)
def test_a_name_is_found_in_any_shape(names: Any, expected: Name | None) -> None:
    assert current_name(names) == expected


def test_numbers_come_by_rank_then_by_use_and_old_ones_not_at_all() -> None:
    telecom = [
        {"system": "phone", "value": "home", "use": "home"},
        {"system": "phone", "value": "gone", "use": "old"},
        {"system": "fax", "value": "fax"},
        {"system": "phone", "value": "mobile", "use": "mobile"},
        {"system": "phone", "value": "first", "use": "work", "rank": 1},
        {"system": "phone", "value": "mobile", "use": "home"},
        {"system": "email", "value": "a@example.org"},
        {"system": "phone"},
        "nonsense",
    ]
    assert phones(telecom) == ("first", "mobile", "home")
    assert emails(telecom) == ("a@example.org",)


def test_two_numbers_in_one_value_are_taken_apart() -> None:
    telecom = [{"system": "phone", "value": "508-555-0124 Or 508-555-0125"}]
    assert phones(telecom) == ("508-555-0124", "508-555-0125")


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (
            [{"use": "old", "city": "Was"}, {"use": "home", "line": ["1 A St", "Unit 2"]}],
            Address(line="1 A St, Unit 2"),
        ),
        ({"line": "1 A St", "postalCode": 2720}, Address(line="1 A St", postal_code="2720")),
        ([{"text": "1 A St, Fall River"}], Address(line="1 A St, Fall River")),
        ("1 A St", Address(line="1 A St")),
        ([{"use": "home"}, {"use": "work", "city": "B"}], Address(city="B")),
        ([7, None], Address()),
        (None, Address()),
    ],
)
def test_an_address_is_found_in_any_shape(addresses: Any, expected: Address) -> None:
    assert current_address(addresses) == expected


def test_an_address_is_written_as_on_an_envelope() -> None:
    whole = Address(line="1 A St", city="Fall River", state="MA", postal_code="02720")
    assert whole.as_written == "1 A St\nFall River, MA 02720"
    assert Address(city="Fall River").as_written == "Fall River"
    assert Address().as_written == ""


def test_the_preferred_language_goes_first() -> None:
    spanish, chinese = (
        {"coding": [{"system": "urn:ietf:bcp:47", "code": tag}]} for tag in ("es", "zh-Hans")
    )
    assert preferred_language([{"language": spanish}, {"language": chinese}]) == "es"
    preferred = [{"language": spanish}, {"language": chinese, "preferred": True}]
    assert preferred_language(preferred) == "zh-Hans"
    assert preferred_language(None) == ""
    assert languages([spanish, spanish, chinese]) == ("es", "zh-Hans")


@pytest.mark.parametrize("code", ["Spanish!", "x" * 36, "", "12"])
def test_what_is_no_language_tag_is_none(code: str) -> None:
    assert languages({"coding": [{"system": "urn:ietf:bcp:47", "code": code}]}) == ()
    assert languages({"coding": [{"system": "urn:other", "code": "es"}]}) == ()


def test_a_specialty_is_a_nucc_code_with_its_display_or_text() -> None:
    other = {"system": "urn:other", "code": "X", "display": "X"}
    found = specialty(
        [{"coding": [other, {"system": NUCC, "code": "207Q00000X"}], "text": "Family"}]
    )
    assert found is not None
    assert (found.code, found.display) == ("207Q00000X", "Family")
    assert specialty([{"coding": [other]}]) is None


def typed(code: str, system: str, value: str) -> dict[str, Any]:
    return {"type": {"coding": [{"code": code}]}, "system": system, "value": value}


def test_of_all_identifiers_only_record_numbers_are_kept() -> None:
    kept = typed("MR", "urn:hospital", "MRN-1")
    untyped = {"system": "urn:somewhere", "value": "123456789"}
    assert record_numbers([kept, untyped, kept]) == (Identifier("urn:hospital", "MRN-1"),)
    said = {"type": {"text": "Medical Record Number"}, "value": "MRN-2"}
    assert record_numbers(said) == (Identifier("", "MRN-2"),)


@pytest.mark.parametrize(
    "identifier",
    [
        typed("SS", "http://hl7.org/fhir/sid/us-ssn", "999-88-8619"),
        typed("DL", "urn:oid:2.16.840.1.113883.4.3.25", "S99955854"),
        typed("PPN", "http://standardhealthrecord.org/x/passportNumber", "X46531854X"),
        typed("MR", "http://hl7.org/fhir/sid/us-ssn", "999888619"),
        typed("MR", "urn:oid:2.16.840.1.113883.4.1", "999888619"),
        typed("MR", "urn:oid:2.16.840.1.113883.4.3.25", "S99955854"),
        typed("MR", "urn:oid:2.16.840.1.113883.4.330.840", "X46531854X"),
        typed("MR", "http://hl7.org/fhir/sid/passport-USA", "X46531854X"),
        typed("MR", "urn:hospital", "999-88-8619"),
        {
            "type": {"coding": [{"code": "MR"}, {"code": "SS"}]},
            "system": "urn:hospital",
            "value": "1",
        },
    ],
)
def test_social_security_licence_and_passport_numbers_are_never_kept(
    identifier: dict[str, Any],
) -> None:
    assert record_numbers([identifier]) == ()


def test_a_record_number_of_a_system_with_a_similar_oid_is_kept() -> None:
    number = typed("MR", "urn:oid:2.16.840.1.113883.4.15", "7")
    assert record_numbers([number]) == (Identifier("urn:oid:2.16.840.1.113883.4.15", "7"),)


def test_npis_are_found_by_system_or_type() -> None:
    by_system = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "300"}
    assert npis([by_system, typed("NPI", "", "1234567893"), typed("MR", "", "1")]) == (
        "300",
        "1234567893",
    )


@pytest.mark.parametrize("resource_id", [None, "", 7, "a" * 65, "a b", "a\0", "ä", "a/b"])
def test_without_a_valid_id_a_record_is_refused(resource_id: Any) -> None:
    with pytest.raises(Refused, match="no valid id"):
        identity("Patient", {"id": resource_id})


@pytest.mark.parametrize(
    "reference",
    ["Practitioner/p-1", "urn:uuid:p-1", "https://e.org/r4/Practitioner/p-1/_history/3", "p-1"],
)
def test_a_reference_ends_in_the_id(reference: str) -> None:
    assert referenced_id({"reference": reference}) == "p-1"


def test_what_is_no_reference_has_no_id() -> None:
    assert referenced_id(None) == ""
    assert referenced_id({"display": "Dr. Who"}) == ""
