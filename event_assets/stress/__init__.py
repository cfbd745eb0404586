"""Traffic that grows until something gives way, and what every part of the platform did meanwhile.

It drives the platform from outside, under a folder of its own: collectors, stream, lake and warehouse are started for
it and thrown away. Nothing of the platform imports it.
"""
