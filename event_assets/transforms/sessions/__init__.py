"""Sessions, page views and what they are found by."""
