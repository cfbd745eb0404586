"""What the platform tells of itself while it works: metrics by the minute, and the alarms that are judged by them.

What there is to count is in `metrics`, how it is added up in `meter`, where it goes in `emission`, when to call
somebody in `alarms`.
"""
