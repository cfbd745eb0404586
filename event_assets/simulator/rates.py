"""How often things go wrong. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Shares between 0 and 1: of events, of visits (`late_visit`: minutes to 10 days, `months_late_visit`: 10 days to
    half a year), of installs (`clock_skew`).

    `burst` is how much more than usual happens in the burst minute of an hour (0: no burst). `silent_loss` is the share
    of events that the truth calls acknowledged although they are never sent: a planted loss, to see the alarm ring.
    """

    duplicate: float = 0.02
    conflict: float = 0.0005
    out_of_order: float = 0.02
    missing_sent_at: float = 0.002
    late_visit: float = 0.03
    months_late_visit: float = 0.001
    clock_skew: float = 0.03
    burst: float = 8.0
    silent_loss: float = 0.0
    malformed: float = 0.001
    wrong_type: float = 0.001
    missing_field: float = 0.001
    invalid_value: float = 0.0007
    invalid_utf8: float = 0.0003
    not_an_object: float = 0.0002
    too_large: float = 0.0002
    too_deep: float = 0.0002
    plan_reject: float = 0.2
    plan_quarantine: float = 0.08
    plan_warning: float = 0.01
    unknown_event: float = 0.05
    extra_field: float = 0.005
    hostile: float = 0.003

    @staticmethod
    def none() -> FaultRates:
        """A world in which nothing goes wrong."""
        return FaultRates(**dict.fromkeys((field.name for field in fields(FaultRates)), 0.0))
