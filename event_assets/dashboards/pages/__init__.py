"""The pages: those of the dashboard file, and those that every platform has."""
