"""Reads every file of a home, says which are damaged, and heals what can be healed from the rest.

What a sound file is, is known where it is written; nothing is mended that could be a guess.
"""

from __future__ import annotations

from event_assets.doctor.finding import Examined, Finding, heal_all
from event_assets.doctor.home import examine

__all__ = ["Examined", "Finding", "examine", "heal_all"]
