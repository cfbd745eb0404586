"""The stress test: its load, its rules, its reconciliation, and one whole small one."""
