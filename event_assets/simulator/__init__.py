"""Made-up people of a site builder with a shop: seeded, realistic traffic with faults in it, and the truth about it.

The traffic is a pure function of its seed (`generate`); only `run`, `send`, `truth` and `files` touch the outside. The
pipeline uses nothing of this, and this uses nothing of the pipeline but the stream that stray records are put on.
"""
