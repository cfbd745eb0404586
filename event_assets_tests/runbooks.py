"""The pages of alarms, and the index that is made of them: `python -m event_assets_tests.runbooks` writes it."""

from __future__ import annotations

from pathlib import Path

from event_assets.telemetry.alarms import ALARMS, page_of

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "runbooks"
INDEX = FOLDER / "README.md"
_JUDGED = """\
CloudWatch judges them on AWS; on one machine a sensor of Dagster does, once a minute, by the metrics of the last
minutes. It writes to `EVENT_ASSETS_ALARM_WEBHOOK_URL` and `EVENT_ASSETS_ALARM_TOPIC` when one rings and when it ends,
and shows each as a check of `event_stream`. Where nobody is named to be told, the checks tell."""


def page(alarm: str) -> Path:
    """The page of an alarm."""
    return ROOT / page_of(alarm)


def meaning(file: Path) -> tuple[str, str]:
    """The name of a page's alarm, and its first paragraph."""
    title, text = file.read_text("utf-8").split("\n\n")[:2]
    return title.removeprefix("# "), text


def index() -> str:
    """The index: alarms of every installation, the worst first, then those that AWS alone has."""
    ours = [page(alarm.name) for alarm in ALARMS]
    of_aws = sorted(file for file in FOLDER.glob("*.md") if file not in (*ours, INDEX))
    return (
        "\n\n".join(
            [
                "# Runbooks",
                "What each alarm means, what to look at and what to do.",
                "## On every installation",
                _JUDGED,
                "\n".join(_line(file) for file in ours),
                "## On AWS alone",
                "They are on what AWS sees: the stream, the edge, the tasks, the database.",
                "\n".join(_line(file) for file in of_aws),
            ]
        )
        + "\n"
    )


def _line(file: Path) -> str:
    name, text = meaning(file)
    return f"- [{name}]({file.name}): {text}"


if __name__ == "__main__":
    INDEX.write_text(index(), "utf-8")
