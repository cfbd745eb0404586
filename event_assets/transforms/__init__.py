"""Pure PySpark, DataFrame to DataFrame: one module per step. No Dagster, no storage, no clock, no environment."""
