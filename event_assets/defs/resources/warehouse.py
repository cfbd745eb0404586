"""The warehouse as a resource: the one that is named, or the embedded one for as long as a run takes."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Literal, Self

import dagster as dg
from pydantic import PrivateAttr

from event_assets.embedded.postgres import open_postgres
from event_assets.settings import PREFIX, Settings, load_settings
from event_assets.warehouse.warehouse import Warehouse


class WarehouseResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """PostgreSQL or Amazon Redshift. Where `url` is empty, the embedded PostgreSQL is meant: the running stack's,
    else its own."""

    kind: Literal["postgres", "redshift"]
    home: str
    table_schema: str
    url: str = ""
    iam_role: str | None = None
    events: str = "all"
    lake_url: str
    region: str
    s3_endpoint: str | None = None
    _opened: ExitStack = PrivateAttr(default_factory=ExitStack)
    _warehouse: Warehouse | None = PrivateAttr(default=None)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            kind=settings.warehouse,
            home=str(settings.home.absolute()),
            table_schema=settings.warehouse_schema,
            url=dg.EnvVar(f"{PREFIX}WAREHOUSE_URL") if settings.warehouse_url is not None else "",
            iam_role=settings.warehouse_iam_role,
            events=settings.warehouse_events,
            lake_url=settings.lake,
            region=settings.aws_region,
            s3_endpoint=settings.s3_endpoint_url,
        )

    def open(self) -> Warehouse:
        """The warehouse with all its tables there."""
        if self._warehouse is None:
            settings = load_settings(
                warehouse_kind=self.kind,
                warehouse_schema=self.table_schema,
                warehouse_iam_role=self.iam_role,
                warehouse_events=self.events,
                lake_url=self.lake_url,
                aws_region=self.region,
                s3_endpoint_url=self.s3_endpoint,
            )
            url = self.url or self._opened.enter_context(open_postgres(Path(self.home)))
            self._warehouse = Warehouse.from_settings(settings, url)
            self._warehouse.ensure()
        return self._warehouse

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        self._opened.close()
