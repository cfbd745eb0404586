"""Where the steps of a run are done. The jobs of one step, the one of new events among them, stay in their run's own
process; a run launcher says where that is."""

from __future__ import annotations

from importlib import import_module

import dagster as dg

from event_assets.settings import PREFIX, Settings, SettingsError

_OWN = {"in_process": dg.in_process_executor, "multiprocess": dg.multiprocess_executor}


def executor_of(settings: Settings) -> dg.ExecutorDefinition:
    """The executor of these settings: one of this machine, or the one at `package.module:name`. Raises
    `SettingsError`."""
    if settings.executor in _OWN:
        return _OWN[settings.executor]
    module, _, name = settings.executor.partition(":")
    try:
        found = getattr(import_module(module), name)
    except Exception as error:  # the module is the user's, and may fail in any way when it is imported
        raise SettingsError(
            f"{PREFIX}EXECUTOR: {settings.executor} cannot be imported ({type(error).__name__}: {error})"
        ) from None
    if not isinstance(found, dg.ExecutorDefinition):
        raise SettingsError(f"{PREFIX}EXECUTOR: {settings.executor} is no executor of Dagster's, but {found!r:.100}")
    return found
