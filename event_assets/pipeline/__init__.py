"""How each table of the lake is brought up to date: what is pending, read, transformed, committed.

No Dagster here, so that every step can be run and tested on its own; and no rules of the data, which are in
`transforms`. Every step may be repeated, killed and run twice at once: the commit of each table carries what of its
upstream is in it.
"""
