"""Amazon QuickSight from the dashboards' file: what is to be there, whether AWS takes it, and how it gets there.

No metric is defined here: they are those of `rules/dashboard.py`.
"""
