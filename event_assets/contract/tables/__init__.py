"""The columns of every table, written once; a module a domain. Arrow and Spark schemas, warehouse DDL, Dagster's column
schemas, checks and docs are made from these. No engine, no storage and no Dagster here."""
