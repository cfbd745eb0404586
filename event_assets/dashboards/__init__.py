"""Dashboards on this machine: pages made from a dashboard file, over the warehouse's marts.

What a metric is stands in the file (`rules/dashboard.py`), what is asked of the database for it in `sql.py`. No table
is made here.
"""
