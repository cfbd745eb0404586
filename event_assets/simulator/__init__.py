"""Made-up people of a site builder with a shop: seeded, realistic traffic with faults in it, and the truth about it.

The traffic is a pure function of its seed (`generate`); only `send`, `strays` and `truth` touch the outside. Nothing
here is used by the pipeline, and of the pipeline only the stream's record type is used here.
"""
