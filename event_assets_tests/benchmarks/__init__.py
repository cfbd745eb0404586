"""The benchmarks' own data."""
