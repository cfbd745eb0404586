"""Which account of QuickSight is meant, by variables that begin with `QUICKSIGHT_`, and what is to be there."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from event_assets.quicksight.resources import Wanted, wanted
from event_assets.quicksight.target import Groups, QuickSightError, Target
from event_assets.rules.analysis import Analyses
from event_assets.rules.dashboard import dashboard_of
from event_assets.rules.roles import roles_of
from event_assets.settings import Settings


class Installation(BaseSettings):
    """What is said of an account beside the platform's settings. Without an `account` there is none."""

    model_config = SettingsConfigDict(env_prefix="QUICKSIGHT_", frozen=True, populate_by_name=True)

    account: str = ""
    region: str | None = None
    prefix: str = "event-assets"
    namespace: str = "default"
    mode: Literal["spice", "direct"] = "spice"
    secret_arn: str | None = None
    vpc_connection_arn: str | None = None
    schema_name: str | None = Field(None, validation_alias="QUICKSIGHT_SCHEMA")
    refresh_at: str = "03:00"
    refresh_by: Literal["quicksight", "dagster"] = "quicksight"

    @property
    def has_ingestions(self) -> bool:
        """Whether there are data sets that are copied."""
        return bool(self.account) and self.mode == "spice"

    def target(self, settings: Settings) -> Target:
        """Where dashboards go. Raises `QuickSightError`, `RuleError`."""
        url = urlsplit(settings.warehouse_url.get_secret_value() if settings.warehouse_url else "")
        if settings.warehouse != "redshift" or not url.hostname or not url.path.strip("/"):
            raise QuickSightError(
                "QuickSight reads Amazon Redshift: EVENT_ASSETS_WAREHOUSE_URL must be redshift://…/DATABASE, and "
                "EVENT_ASSETS_WAREHOUSE_KIND redshift."
            )
        owner = f"{self.prefix}-{dashboard_of(settings.dashboards).name}"
        return Target(
            account=self.account,
            region=self.region or settings.aws_region,
            owner=owner,
            host=url.hostname,
            port=url.port or 5439,
            database=url.path.strip("/"),
            schema=self.schema_name or settings.warehouse_schema,
            secret_arn=self.secret_arn,
            vpc_connection_arn=self.vpc_connection_arn,
            namespace=self.namespace,
            import_mode="SPICE" if self.mode == "spice" else "DIRECT_QUERY",
            **Groups.of(roles_of(settings.roles), owner)._asdict(),
            refresh_at=self.refresh_at,
            refreshes_itself=self.refresh_by == "quicksight",
            currency=settings.reporting_currency,
        )

    def wanted(self, settings: Settings) -> Wanted:
        """What is to be there. Raises `QuickSightError`, `RuleError`."""
        kinds: dict[str, list[str]] = {}
        for analysis in Analyses.load(settings.analytics).usable:
            kinds.setdefault(analysis.kind, []).append(analysis.name)
        return wanted(dashboard_of(settings.dashboards), kinds, self.target(settings))
