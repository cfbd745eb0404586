"""The simulator: reproducible traffic, its faults, its truth."""
