"""What the project measures about itself: one module a benchmark, run by `python -m benchmarks NAME --json`."""
