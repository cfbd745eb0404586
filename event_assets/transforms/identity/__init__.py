"""Which ids are one person."""
