"""A PostgreSQL for tests of assets."""

from event_assets_tests.postgres import postgres_url

__all__ = ["postgres_url"]
