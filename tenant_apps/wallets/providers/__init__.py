"""Who really charges a phone: the provider that the setting CHARGE_PROVIDER_URL names."""

from .base import ChargeAnswer, ChargeOrder, ChargeProvider, NeverReached, Outcome, TimedOut
from .registry import configured

__all__ = [
    "ChargeAnswer",
    "ChargeOrder",
    "ChargeProvider",
    "NeverReached",
    "Outcome",
    "TimedOut",
    "configured",
]
