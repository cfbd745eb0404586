"""Touches, conversions, and what channels are credited with."""
