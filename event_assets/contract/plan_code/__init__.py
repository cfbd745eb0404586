"""Typed code of a tracking plan: a function for each event, so that a type checker finds what breaks the plan."""
