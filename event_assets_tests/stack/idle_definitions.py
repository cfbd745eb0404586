"""Definitions for a stack under test: a sensor that starts one long run, to have one in flight when the stack ends."""

from __future__ import annotations

import time

import dagster as dg


@dg.asset
def long_asset() -> None:
    """Works until it is ended."""
    time.sleep(600)


@dg.sensor(target=[long_asset], minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def once() -> dg.RunRequest:
    """Asks for the run, once."""
    return dg.RunRequest(run_key="once")


defs = dg.Definitions(assets=[long_asset], sensors=[once], executor=dg.in_process_executor)
