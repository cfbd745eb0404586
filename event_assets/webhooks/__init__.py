"""Messages to other systems over HTTP: who may be reached, how a message is signed, and how often it is tried."""

from event_assets.webhooks.attempts import NotTaken, Passing, require_taken, tried
from event_assets.webhooks.posting import Networks, post
from event_assets.webhooks.signing import headers_of

__all__ = ["Networks", "NotTaken", "Passing", "headers_of", "post", "require_taken", "tried"]
