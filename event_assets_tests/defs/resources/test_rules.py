"""What settings make of the rules, and what they refuse."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest

from event_assets.defs.resources.rules import RulesResource
from event_assets.enrichment.currency import BadRates
from event_assets.enrichment.custom import BadEnrichment
from event_assets.enrichment.location import BadGeoDatabase
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.settings import load_settings
from event_assets_tests.transforms.geo import CITY, database


def test_settings_name_databases_currency_rates_and_functions(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("\ufeffdate,currency,rate\n2026-03-06,USD,0.5\n", encoding="utf-8")  # as spreadsheets save it
    city = database(tmp_path / "city.mmdb", "Test-City", CITY)
    function = "event_assets_tests.transforms.own_enrichments:tier"
    settings = load_settings(
        geo_databases=(tmp_path / "city.mmdb",), reporting_currency="EUR", currency_rates=rates, enrichments=(function,)
    )
    rules = RulesResource.of(settings).enriching
    assert rules.databases == (city,)
    assert rules.reporting.convert(4.0, "USD", dt.date(2026, 3, 7)) == 2.0
    assert [custom.reference for custom in rules.custom] == [function]


def test_files_and_functions_that_cannot_be_used_are_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.file"
    wrong.write_text("wrong")
    for settings, kind in (
        (load_settings(geo_databases=(wrong,)), BadGeoDatabase),
        (load_settings(reporting_currency="EUR", currency_rates=wrong), BadRates),
    ):
        with pytest.raises(kind, match=r"wrong\.file"):
            _ = RulesResource.of(settings).enriching
    with pytest.raises(BadEnrichment, match=r"a\.b:c"):
        _ = RulesResource.of(load_settings(enrichments=("a.b:c",))).enriching


def test_the_words_that_mean_none_are_the_same_for_all_who_read_them() -> None:
    rules = RulesResource.of(load_settings(placeholders=("N/A",)))
    assert {each.placeholders for each in (rules.cleaning, rules.enriching, rules.sessions)} == {("N/A",)}


def test_pseudonyms_are_made_with_the_key_that_is_given_and_dagster_never_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load_settings(pii_fields=("user_id",), pii_key="k3y")
    expected = Pseudonyms(("user_id",), (b"k3y",))
    assert RulesResource.of(settings, "k3y").cleaning.pseudonyms == expected
    monkeypatch.setenv("EVENT_ASSETS_PII_KEY", "k3y")
    made: list[object] = []

    @dg.asset
    def asks(rules: RulesResource) -> None:
        made.append(rules.cleaning.pseudonyms)

    resource = RulesResource.of(settings)
    assert "k3y" not in repr(resource) + repr(resource.__dict__)
    assert dg.materialize([asks], resources={"rules": resource}).success
    assert made == [expected]
    assert RulesResource.of(load_settings()).cleaning.pseudonyms is None
