"""The files that users own: analyses and segments."""
