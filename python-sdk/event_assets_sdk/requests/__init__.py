"""Web frameworks: every event of a request says who asks, from where, on which page, without a word in the call."""
