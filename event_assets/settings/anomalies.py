"""The settings of what is watched for what is unusual, and of who is told."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

from event_assets.settings.values import File, Names


def _addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        if each.count("@") != 1 or not all(each.split("@")) or set(each) & set(" <>,;\r\n"):
            raise ValueError(f"{each!r} is no mail address")
    return value


class AnomalySettings(BaseSettings):
    """What `Settings` has for anomalies."""

    anomalies_file: File = Field(
        None, description="File of what is watched for what is unusual. Default: the one that is shipped."
    )
    incident_to: Annotated[Names, AfterValidator(_addresses)] = Field(
        (),
        description="Mail addresses that are told of incidents of metrics, by the mail server of the digests; with "
        "commas between. The webhook and the topic of the alarms are told, too.",
    )
    incident_quiet_hours: str | None = Field(
        None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$",
        description="Hours by the clock of the site in which nobody is told, such as `22:00-07:00`; after them they "
        "are told of what is open still.",
    )

    @property
    def anomalies(self) -> Path:
        """File of what is watched, in force."""
        return self.anomalies_file or Path(__file__).parents[1] / "rules" / "anomalies.yaml"
