"""Company data: how the tables of other systems are reached, checked and brought into the lake.

Which there are is told in `rules/company.py`; what is made of their rows in `pipeline/company.py`.
"""
