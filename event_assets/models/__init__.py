"""Pure numerics: what is unusual, and what is to be expected of people. No storage, no Dagster, no clock."""
