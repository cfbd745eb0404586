"""The platform as Dagster sees it: assets, checks, automation, resources. Nothing is computed here."""
