from __future__ import annotations

from pathlib import Path

import pytest

from event_assets.enrichment.country import BadAddress
from event_assets.enrichment.ip import MODES, IpPrivacy, mask_ip
from event_assets.enrichment.location import NOWHERE, BadGeoDatabase, GeoDatabase, Location, locate
from event_assets_tests.transforms.geo import ASN, CITY, database


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> tuple[GeoDatabase, ...]:
    folder = tmp_path_factory.mktemp("geo")
    return database(folder / "asn.mmdb", "Test-ASN", ASN), database(folder / "city.mmdb", "Test-City", CITY)


def test_without_a_database_the_country_is_all_that_is_known() -> None:
    assert locate("8.8.8.8") == Location(country="US")


def test_each_field_is_from_the_first_database_that_knows_it(databases: tuple[GeoDatabase, ...]) -> None:
    expected = Location("GB", "England", "London", 20712, "Andrews & Arnold")
    assert locate("81.2.69.142", databases) == expected
    assert locate("81.2.69.142", databases[::-1]) == expected


def test_what_a_database_does_not_know_is_null(databases: tuple[GeoDatabase, ...]) -> None:
    assert locate("89.160.20.112", databases) == Location("SE", "E", None, None, None)
    assert locate("2001:218::1", databases) == Location("JP", None, "Tokyo", None, None)


def test_a_country_that_no_database_knows_is_asked_of_the_bundled_one(databases: tuple[GeoDatabase, ...]) -> None:
    assert locate("1.128.0.1", databases) == Location("AU", None, None, 1221, None)
    assert locate("8.8.8.8", databases) == Location(country="US")


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
@pytest.mark.parametrize("mode", MODES)
def test_a_truncated_or_masked_address_still_has_its_country_and_a_hashed_one_none(
    mode: IpPrivacy, address: str, databases: tuple[GeoDatabase, ...]
) -> None:
    expected = NOWHERE if mode == "hash" else Location(country="US")
    kept = mask_ip(address, mode, key=b"k")
    assert locate(kept) == expected
    assert locate(kept, databases) == expected


@pytest.mark.parametrize("address", [None, "", "10.0.0.1", "127.0.0.1", "fe80::1", "a" * 32, "0" * 64])
def test_private_hashed_and_missing_addresses_are_nowhere(
    address: str | None, databases: tuple[GeoDatabase, ...]
) -> None:
    assert locate(address, databases) == NOWHERE


@pytest.mark.parametrize("text", ["300.1.1.1", "x", "testclient", "1.2.3", "ä"])
def test_what_is_no_address_is_refused(text: str, databases: tuple[GeoDatabase, ...]) -> None:
    with pytest.raises(BadAddress):
        locate(text, databases)


def test_an_ipv6_address_is_not_sought_in_a_database_of_ipv4(tmp_path: Path) -> None:
    networks = {"81.2.69.0/24": CITY["81.2.69.0/24"]}
    old = database(tmp_path / "v4.mmdb", "Test-City", networks, ip_version=4)
    assert locate("2001:4860:4860::8888", (old,)) == Location(country="US")
    assert locate("81.2.69.1", (old,)).city == "London"


def test_a_file_that_is_no_database_is_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "city.mmdb"
    wrong.write_bytes(b"not a database")
    with pytest.raises(BadGeoDatabase, match=r"city\.mmdb is no MaxMind database"):
        GeoDatabase.at(wrong)
    with pytest.raises(BadGeoDatabase, match=r"missing\.mmdb"):
        GeoDatabase.at(tmp_path / "missing.mmdb")


def test_an_edition_names_kind_and_build(databases: tuple[GeoDatabase, ...]) -> None:
    assert [one.edition.split("/")[0] for one in databases] == ["Test-ASN", "Test-City"]
    assert all(int(one.edition.split("/")[1]) > 1_700_000_000 for one in databases)
