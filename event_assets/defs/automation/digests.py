"""The digests that the dashboard's file names, each by a schedule: the run starts the command that sends it."""

import logging
import subprocess
import sys

import dagster as dg

from event_assets.rules.dashboard import dashboard_of
from event_assets.rules.rule_files import RuleError
from event_assets.settings import Settings

_LOG = logging.getLogger(__name__)
_LONGEST_SECONDS = 900


class DigestConfig(dg.Config):
    """Which one is sent."""

    name: str
    """As the dashboard's file names it."""


@dg.op(description="Makes a digest and sends it, by `event-assets digest send`.")
def send_named_digest(context: dg.OpExecutionContext, config: DigestConfig) -> None:
    # A process of its own: the dashboards are no part of what Dagster loads, and what they take is given back.
    command = [sys.executable, "-m", "event_assets.cli", "digest", "send", config.name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        raise dg.Failure(f"The digest was not sent in {_LONGEST_SECONDS} s.", allow_retries=False) from None
    if done.stdout.strip():
        context.log.info(done.stdout.strip())
    if done.returncode:
        # Not again: what the one way took, the mail or the message, would be sent twice.
        raise dg.Failure(done.stderr.strip()[-2000:] or "The digest was not sent.", allow_retries=False)


@dg.job(description="Sends a digest of the dashboards.", executor_def=dg.in_process_executor)
def send_digest() -> None:
    send_named_digest()


def digest_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """A schedule a digest; none of a dashboard file that cannot be used, which the dashboards' server says, too."""
    try:
        digests = dashboard_of(settings.dashboards).digests
    except RuleError as fault:
        _LOG.warning("no digests: %s", fault)
        return []
    made = []
    for name, digest in digests.items():
        try:
            schedule = dg.ScheduleDefinition(
                name=f"digest_{name}",
                job=send_digest,
                cron_schedule=digest.cron,
                execution_timezone=digest.time_zone,
                run_config=dg.RunConfig({"send_named_digest": DigestConfig(name=name)}),
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description=f"Sends {digest.title or name}: {', '.join(digest.pages)}.",
            )
        except dg.DagsterInvalidDefinitionError as fault:
            _LOG.warning("digest %s has no schedule: %s", name, fault)
            continue
        made.append(schedule)
    return made
