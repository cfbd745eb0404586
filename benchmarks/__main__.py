"""`python -m benchmarks NAME [--json]`: runs the benchmark `benchmarks.NAME`."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

_SHARED = {
    "__main__",
    "answering",
    "dagster_bytes",
    "dashboard_rows",
    "data",
    "history",
    "load",
    "memory",
    "planted",
    "planted_minutes",
    "replicated",
    "scale_measures",
    "scale_sensor",
    "scale_synthetic",
    "simulated_minutes",
    "watch",
}
"""Modules that the benchmarks use."""


def main() -> int:
    """Calls `main(argv)` of the named module; gives the exit status."""
    names = sorted({module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])} - _SHARED)
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        print(f"usage: python -m benchmarks {{{','.join(names)}}} [--json]", file=sys.stderr)
        return 2
    return int(importlib.import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:]) or 0)


if __name__ == "__main__":
    sys.exit(main())
