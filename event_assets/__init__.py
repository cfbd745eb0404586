"""event-assets: behavioural-event analytics as Dagster assets, from the client SDK to the warehouse."""

__version__ = "0.2.0.dev0"
