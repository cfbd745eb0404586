"""Where an IP address is and whose network it belongs to, from databases on this machine. Nothing is asked online.

The bundled one knows countries alone (`country`). MaxMind databases (City, Country, ASN, and others of that layout) are
read where they are named, and asked first.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import maxminddb

from event_assets.enrichment.country import BadAddress, country_of
from event_assets.enrichment.ip import without_port


class BadGeoDatabase(ValueError):
    """The file is no MaxMind database. The message names it."""


class Location(NamedTuple):
    """What databases know of an address; None where they do not. The names are columns."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    asn: int | None = None
    as_organization: str | None = None


NOWHERE = Location()
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True)
class GeoDatabase:
    """A MaxMind database: where its file is, on every machine that enriches, and which edition it is."""

    path: str
    edition: str

    @staticmethod
    def at(path: Path) -> GeoDatabase:
        """The database in a file. Raises `BadGeoDatabase`."""
        try:
            with maxminddb.open_database(path) as reader:
                about = reader.metadata()
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise BadGeoDatabase(f"{path} is no MaxMind database (.mmdb) that can be read: {error}") from None
        return GeoDatabase(str(path.absolute()), f"{about.database_type}/{about.build_epoch}")


def bundled_edition() -> str:
    """The edition of the country database that the package carries."""
    return f"iptocc/{version('iptocc')}"


def locate(ip: str | None, databases: tuple[GeoDatabase, ...] = ()) -> Location:
    """Where an address is: each field from the first database that knows it, the country else from the bundled one.

    A truncated or masked address is looked up as the first of its network; what is left of a stripped event's is its
    country alone. A hashed one is nowhere, and so are private ones. Raises `BadAddress` for what is no address.

    >>> locate("8.8.8.0").country, locate("8.8.8.x").country, locate("10.0.0.1").country
    ('US', 'US', None)
    """
    if not ip:
        return NOWHERE
    if _COUNTRY.fullmatch(ip):
        return Location(ip)
    address = without_port(ip.replace("x", "0") if "x" in ip else ip)
    country = country_of(address)
    found = NOWHERE
    for database in databases:
        found = _first_known(found, _record(database, address))
    return found if found.country else found._replace(country=country)


def country_alone(ip: str | None) -> str | None:
    """The country of an address by the bundled database, None where it has none or the text is no address.

    >>> country_alone("8.8.8.8"), country_alone("US"), country_alone("nowhere")
    ('US', 'US', None)
    """
    try:
        return locate(ip).country
    except BadAddress:
        return None


def _first_known(known: Location, more: Location) -> Location:
    return known._replace(**{name: value for name, value in more._asdict().items() if getattr(known, name) is None})


def _record(database: GeoDatabase, ip: str) -> Location:
    reader = _reader(database)
    try:
        address = ipaddress.ip_address(ip.strip())
    except ValueError:
        return NOWHERE  # a hash: what is no address at all was refused before
    if address.version == 6 and reader.metadata().ip_version == 4:
        return NOWHERE
    record: Any = reader.get(address)
    if not isinstance(record, dict):
        return NOWHERE
    regions = record.get("subdivisions") or [{}]
    country = record.get("country") or record.get("registered_country") or {}
    return Location(
        country.get("iso_code"),
        _name(regions[0]),
        _name(record.get("city") or {}),
        record.get("autonomous_system_number"),
        record.get("autonomous_system_organization"),
    )


def _name(place: dict[str, Any]) -> str | None:
    """The English name of a place, else its code."""
    name = (place.get("names") or {}).get("en") or place.get("iso_code")
    return str(name) if name else None


@lru_cache(maxsize=16)
def _reader(database: GeoDatabase) -> maxminddb.Reader:
    """Opened once a process; the file is mapped into memory, not read."""
    return maxminddb.open_database(database.path)
