"""Small MaxMind databases, made with mmdb-writer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter
from netaddr import IPSet

from event_assets.enrichment.location import GeoDatabase

CITY: dict[str, dict[str, Any]] = {
    "81.2.69.0/24": {
        "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
        "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}, {"iso_code": "LND"}],
        "city": {"names": {"en": "London", "ja": "ロンドン"}},
    },
    "89.160.20.0/24": {"registered_country": {"iso_code": "SE"}, "subdivisions": [{"iso_code": "E"}]},
    "2001:218::/32": {"country": {"iso_code": "JP"}, "city": {"names": {"en": "Tokyo"}}},
}
ASN: dict[str, dict[str, Any]] = {
    "81.2.69.0/24": {"autonomous_system_number": 20712, "autonomous_system_organization": "Andrews & Arnold"},
    "1.128.0.0/11": {"autonomous_system_number": 1221},
}


def database(path: Path, kind: str, networks: dict[str, dict[str, Any]], ip_version: int = 6) -> GeoDatabase:
    """A database of these networks, written to `path`."""
    writer = MMDBWriter(
        ip_version, database_type=kind, languages=["en"], description="for a test", ipv4_compatible=ip_version == 6
    )
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return GeoDatabase.at(path)
