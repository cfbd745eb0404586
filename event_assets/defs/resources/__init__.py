"""What assets reach out to: Spark, the lake, the stream, the warehouse, and the rules of the project, as Dagster
resources."""
