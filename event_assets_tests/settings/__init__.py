"""The settings: what can be set, and what is said of what cannot be."""
