"""Import of event files."""
