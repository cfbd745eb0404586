"""The engine and the warehouse of one machine."""
