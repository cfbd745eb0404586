"""Pure PySpark, a folder a domain: DataFrames in, DataFrames out. No Dagster, no storage, no clock."""
