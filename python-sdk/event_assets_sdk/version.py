"""The version of the SDK, which is the platform's: both are released together."""

__version__ = "0.2.0.dev0"
