"""Digests: pages of the dashboard as a mail or a message, by the clock."""
