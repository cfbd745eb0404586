"""Digests as their users write them, in the file of a dashboard: what is sent, when, and to whom."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from event_assets.rules.condition import RuleName as Name
from event_assets.rules.rule_files import RuleModel

_CRON = r"^[0-9a-zA-Z*/,\-?#]+( +[0-9a-zA-Z*/,\-?#]+){4}$"
_ADDRESS = r"^[^@\s<>,;]+@[^@\s<>,;]+$"


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise ValueError(f"there is no time zone {name!r}; one is Europe/Berlin") from None
    return name


class Digest(RuleModel):
    """Pages of the dashboard that are sent by the clock.

    `cron` says when, in `time_zone`; `period` and `filters` are those of the pages; `to` are mail addresses, and with
    `webhook` it is posted to the address of the setting, too.
    """

    model_config = ConfigDict(strict=False)

    title: str = ""
    pages: Annotated[tuple[Name, ...], Field(min_length=1)]
    cron: Annotated[str, Field(pattern=_CRON)]
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    period: Literal["today", "7d", "28d", "90d", "month"] = "7d"
    filters: dict[Literal["app_id", "platform", "country", "channel_group"], tuple[str, ...]] = Field(
        default_factory=dict
    )
    to: tuple[Annotated[str, Field(pattern=_ADDRESS)], ...] = ()
    webhook: bool = False

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Digest:
        if not self.to and not self.webhook:
            raise ValueError("it goes nowhere: name addresses in to, or say webhook: true")
        return self
