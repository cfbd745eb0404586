"""A real PostgreSQL for what is verified there."""

from event_assets_tests.postgres import postgres_url

__all__ = ["postgres_url"]
