"""The rules of the project as a resource: what is clean, what a session is, whose pages are ours."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Literal, Self

import dagster as dg

from event_assets.contract.placeholders import Placeholders
from event_assets.contract.plan import TrackingPlan
from event_assets.contract.site_zones import SiteZones
from event_assets.enrichment.currency import NO_RATES, BadRates, Rates, Reporting, parse_rates
from event_assets.enrichment.custom import BadEnrichment, custom_enrichments
from event_assets.enrichment.location import BadGeoDatabase, GeoDatabase
from event_assets.enrichment.marketing import marketing_parameters
from event_assets.enrichment.pseudonyms import Pseudonyms
from event_assets.lake.tombstones import ErasureRules, key_in
from event_assets.pipeline.spend import SpendFile
from event_assets.rules.analysis import Analyses
from event_assets.rules.anomalies import Anomalies, read_anomalies
from event_assets.rules.company import CompanyData
from event_assets.rules.feature import Features
from event_assets.rules.model import Models
from event_assets.rules.segment_files import Segments
from event_assets.settings import PREFIX, Settings, SettingsError
from event_assets.settings.privacy import privacy_key_file
from event_assets.transforms.attribution.attribution import AttributionRules
from event_assets.transforms.events.clean import CleanRules
from event_assets.transforms.events.enrich import EnrichRules
from event_assets.transforms.sessions.sessionise import SessionRules

_VARIABLES: dict[type[ValueError], str] = {
    BadEnrichment: f"{PREFIX}ENRICHMENTS",
    BadGeoDatabase: f"{PREFIX}GEO_DATABASES",
    BadRates: f"{PREFIX}CURRENCY_RATES",
}


def require_usable_rules(settings: Settings) -> None:
    """Returns where every function and file that enriches can be used. Raises `SettingsError`, before the first run
    does."""
    try:
        _ = RulesResource.of(settings, pii_key="").enriching
    except ValueError as error:
        raise SettingsError(f"{_VARIABLES.get(type(error), PREFIX)}: {error}") from None


class RulesResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The settings that decide what rows say."""

    plan_dir: str
    analytics_dir: str
    segments_dir: str
    models_dir: str
    anomalies_file: str
    company_dir: str | None = None
    first_day: str
    backdate_days: int
    consent_refused: Literal["drop", "strip"]
    placeholders: list[str] | None
    pii_fields: list[str]
    pii_key: str = ""
    privacy_key: str = ""
    privacy_key_file: str
    decoders: int
    cores: int | None = None
    session_timeout_minutes: int
    session_max_hours: int
    session_starts_with: Literal["any", "page"]
    engaged_seconds: int
    conversion_events: list[str]
    conversion_ids: dict[str, str]
    own_hosts: list[str]
    geo_databases: list[str]
    reporting_currency: str | None = None
    currency_rates: str | None = None
    enrichments: list[str]
    marketing_parameters: dict[str, Any]
    source_days: int
    attribution_lookback_days: int
    attribution_half_life_days: float
    attribution_ends_percent: float
    spend_file: str | None = None
    time_zone: str
    time_zones: dict[str, str]
    max_records_per_run: int
    raw_object_bytes: int

    @classmethod
    def of(
        cls,
        settings: Settings,
        pii_key: str = dg.EnvVar(f"{PREFIX}PII_KEY"),
        privacy_key: str = dg.EnvVar(f"{PREFIX}PRIVACY_KEY"),
    ) -> Self:
        """The rules of these settings. Dagster is given the keys' variables, whose values it does not show; whoever
        does not run in Dagster gives the keys themselves."""
        return cls(
            plan_dir=str(settings.plan),
            analytics_dir=str(settings.analytics),
            segments_dir=str(settings.segments),
            models_dir=str(settings.models),
            anomalies_file=str(settings.anomalies),
            company_dir=str(settings.company.absolute()) if settings.company else None,
            first_day=str(settings.first_day),
            backdate_days=settings.backdate_days,
            consent_refused=settings.consent_refused,
            placeholders=None if settings.placeholders is None else list(settings.placeholders),
            pii_fields=list(settings.pii_fields),
            pii_key=pii_key if settings.pii_fields else "",
            privacy_key=privacy_key if settings.privacy_key else "",
            privacy_key_file=str(privacy_key_file(settings.home).absolute()),
            decoders=settings.decoders,
            cores=settings.cores,
            session_timeout_minutes=settings.session_timeout_minutes,
            session_max_hours=settings.session_max_hours,
            session_starts_with=settings.session_starts_with,
            engaged_seconds=settings.engaged_seconds,
            conversion_events=list(settings.conversion_events),
            conversion_ids=settings.conversion_ids,
            own_hosts=list(settings.own_hosts),
            geo_databases=[str(path.absolute()) for path in settings.geo_databases],
            reporting_currency=settings.reporting_currency,
            currency_rates=str(settings.currency_rates.absolute()) if settings.currency_rates else None,
            enrichments=list(settings.enrichments),
            marketing_parameters=settings.marketing_parameters,
            source_days=settings.source_days,
            attribution_lookback_days=settings.attribution_lookback_days,
            attribution_half_life_days=settings.attribution_half_life_days,
            attribution_ends_percent=settings.attribution_ends_percent,
            spend_file=str(settings.spend_file.absolute()) if settings.spend_file else None,
            time_zone=settings.time_zone,
            time_zones=settings.time_zones,
            max_records_per_run=settings.max_records_per_run,
            raw_object_bytes=settings.raw_object_mb * 1_000_000,
        )

    @property
    def plan(self) -> TrackingPlan:
        """The tracking plan of the owner's folder."""
        return TrackingPlan.load(Path(self.plan_dir))

    @property
    def cleaning(self) -> CleanRules:
        """What an event must be to be clean."""
        first_day = dt.date.fromisoformat(self.first_day)
        placeholders = None if self.placeholders is None else tuple(self.placeholders)
        return CleanRules(
            self.plan, first_day, self.consent_refused, pseudonyms=self._pseudonyms(), placeholders=placeholders
        )

    def _pseudonyms(self) -> Pseudonyms | None:
        return Pseudonyms.of_setting(tuple(self.pii_fields), self.pii_key) if self.pii_fields else None

    @property
    def erasure(self) -> ErasureRules:
        """By what people who were erased are told when something of theirs arrives."""
        key = self.privacy_key.encode() or key_in(Path(self.privacy_key_file))
        return ErasureRules(key, Placeholders(self.placeholders), self._pseudonyms())

    @property
    def enriching(self) -> EnrichRules:
        """By what events are enriched. Raises `ValueError` where a file or a function cannot be used."""
        return EnrichRules(
            own_hosts=tuple(self.own_hosts),
            marketing=marketing_parameters(self.marketing_parameters),
            databases=tuple(GeoDatabase.at(Path(path)) for path in self.geo_databases),
            reporting=self._reporting(),
            custom=custom_enrichments(self.enrichments),
            placeholders=None if self.placeholders is None else tuple(self.placeholders),
            zones=self._zones(),
        )

    def _zones(self) -> SiteZones:
        return SiteZones(self.time_zone, tuple(sorted(self.time_zones.items())))

    def _reporting(self) -> Reporting:
        return Reporting(self.reporting_currency, self._rates())

    def _rates(self) -> Rates:
        if self.currency_rates is None:
            return NO_RATES
        try:
            return parse_rates(Path(self.currency_rates).read_text(encoding="utf-8-sig"))
        except ValueError as error:
            raise BadRates(f"{self.currency_rates}: {error}") from None

    @property
    def sessions(self) -> SessionRules:
        """What a session is."""
        return SessionRules(
            timeout_minutes=self.session_timeout_minutes,
            max_hours=self.session_max_hours,
            starts_with=self.session_starts_with,
            engaged_seconds=self.engaged_seconds,
            conversion_events=tuple(self.conversion_events),
            conversion_ids=tuple(sorted(self.conversion_ids.items())),
            zones=self._zones(),
            placeholders=None if self.placeholders is None else tuple(self.placeholders),
        )

    @property
    def attribution(self) -> AttributionRules:
        """How long a source lasts, and what touches before a conversion are credited with."""
        return AttributionRules(
            source_days=self.source_days,
            lookback_days=self.attribution_lookback_days,
            half_life_days=self.attribution_half_life_days,
            ends_percent=self.attribution_ends_percent,
        )

    @property
    def spend(self) -> SpendFile | None:
        """The owner's file of advertising spend. Raises `BadRates`."""
        return SpendFile(Path(self.spend_file), self._reporting()) if self.spend_file else None

    @property
    def analyses(self) -> Analyses:
        """The product analyses of the owner's folder."""
        return Analyses.load(Path(self.analytics_dir))

    @property
    def segments(self) -> Segments:
        """The segments of the owner's folder."""
        return Segments.load(Path(self.segments_dir))

    @property
    def features(self) -> Features:
        """The features of the owner's folder. Raises `RuleError`."""
        return Features.of_models(Path(self.models_dir))

    @property
    def models(self) -> Models:
        """The models of the same folder."""
        return Models.load(Path(self.models_dir))

    @property
    def anomalies(self) -> Anomalies:
        """What is watched for what is unusual. Raises `RuleError`."""
        return read_anomalies(Path(self.anomalies_file))

    @property
    def company(self) -> CompanyData:
        """The sources of company data of the owner's folder."""
        return CompanyData.load(Path(self.company_dir) if self.company_dir else None)
