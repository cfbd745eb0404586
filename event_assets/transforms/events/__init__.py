"""From raw records to every event once."""
