"""Verification against the truth."""
