"""What every provider of phone charge is to Kontor.

Whoever adapts another one writes a class with these two methods, a factory that makes it from a
URL and a key, and names the factory in the setting CHARGE_PROVIDERS.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from shared_apps.kernel.money import Money


class Outcome(StrEnum):
    """What a provider says of a reference. `unheard`: it has never heard of it. `reversed`: it
    charged the number and took that back, so that nothing of it will be billed."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    PENDING = "pending"
    UNHEARD = "unheard"
    REVERSED = "reversed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOrder:
    """A number to be charged. A provider charges once for each reference, however often asked."""

    reference: UUID
    phone: str
    operator: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAnswer:
    """An outcome with the provider's own reference and, for a refusal, its reason."""

    outcome: Outcome
    provider_reference: str = ""
    reason: str = ""


class TimedOut(Exception):
    """No answer came in time: nobody knows whether the request arrived."""


class NeverReached(Exception):
    """The request surely did not arrive: the connection was not even made."""


class Unclear(Exception):
    """What came back says nothing for sure about the reference: it is as if nothing had come."""


class ChargeProvider(Protocol):
    """Both calls end within half a minute, with an answer or an error: the adapter sees to it."""

    def charge(self, order: ChargeOrder) -> ChargeAnswer:
        """Charge the number; for a reference that was charged before, the same answer again.

        :raises TimedOut: no answer came in time.
        :raises NeverReached: the request did not arrive.
        :raises Unclear: the answer says nothing for sure.
        """

    def status(self, reference: UUID) -> ChargeAnswer:
        """What became of a reference.

        :raises TimedOut: no answer came in time.
        :raises NeverReached: the request did not arrive.
        :raises Unclear: the answer says nothing for sure.
        """
