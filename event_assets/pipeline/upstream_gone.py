"""What a step says that would make rows again of what is no more."""


class UpstreamGone(RuntimeError):
    """A table would be made again of an upstream whose old days went by retention, and would lose what it knows of
    them. The message says the way out. Nothing was changed."""
