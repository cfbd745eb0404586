"""The Dagster assets, thin: read, transform, write, report. One module per stretch of the way that an event travels."""
