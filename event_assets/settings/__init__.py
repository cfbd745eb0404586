"""Every setting of the platform, typed, and the only place that reads the environment.

What there is to set is in `model`, what a value may be in `values` where its type does not say it.
"""

from event_assets.settings.function import function_settings, secret_text, secret_texts
from event_assets.settings.model import PREFIX, Settings, StreamKind
from event_assets.settings.reading import SECRETS, SettingsError, load_settings, read_settings, settings_table

__all__ = [
    "PREFIX",
    "SECRETS",
    "Settings",
    "SettingsError",
    "StreamKind",
    "function_settings",
    "load_settings",
    "read_settings",
    "secret_text",
    "secret_texts",
    "settings_table",
]
