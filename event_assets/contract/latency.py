"""From when on an event came late, and a page is slow: what the counts of hours and of minutes both go by."""

from __future__ import annotations

FRESH_SECONDS = 3600
"""Up to so long after it happened an event counts as having just happened when the stream takes it."""
DELAY_SECONDS = 60
"""Beyond it the way from the client to the stream was long."""
LAG_SECONDS = 5
"""And that from the collector to the stream, which takes less than a second as a rule."""
LANDING_SECONDS = 300
"""And that from the stream to the lake, which takes seconds where landing stays with the stream, and a minute or two
where runs begin for it."""
SLOW_MS = 4000.0
"""Beyond it the largest contentful paint is poor, as Core Web Vitals have it."""
