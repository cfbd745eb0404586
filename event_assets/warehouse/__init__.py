"""The warehouse: tables, loads and what is loaded, on PostgreSQL and Amazon Redshift by the same SQL.

Whatever needs Dagster or Spark does not belong here, nor the columns, which are in `contract/tables/`.
"""
