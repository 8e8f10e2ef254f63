"""Who really charges a phone: the provider that the settings name."""

from .base import (
    ChargeAnswer,
    ChargeOrder,
    ChargeProvider,
    NeverReached,
    Outcome,
    TimedOut,
    Unclear,
)
from .registry import configured

__all__ = [
    "ChargeAnswer",
    "ChargeOrder",
    "ChargeProvider",
    "NeverReached",
    "Outcome",
    "TimedOut",
    "Unclear",
    "configured",
]
