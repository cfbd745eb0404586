"""The stress test: its load, its rules, its books, and one whole small one."""
