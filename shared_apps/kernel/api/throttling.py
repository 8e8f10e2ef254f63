"""Rate limits, kept in the cache and told in every answer.

Headers are those of the IETF draft "RateLimit header fields for HTTP":
`RateLimit-Policy: "api";q=600;w=60` and `RateLimit: "api";r=599;t=60`.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import redis.exceptions
import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from rest_framework.throttling import BaseThrottle

from shared_apps.kernel.errors import DependencyDown, TooManyRequests

from . import counters
from .requests import client_address

log = structlog.get_logger(__name__)

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a caller stands with one limit: what is left until the window ends."""

    name: str
    quota: int
    window: int
    remaining: int
    resets_in: int

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.quota};w={self.window}'

    @property
    def limit(self) -> str:
        return f'"{self.name}";r={self.remaining};t={self.resets_in}'


def parse_rate(rate: str) -> tuple[int, int]:
    """("600/minute") -> (600 requests, 60 seconds).

    :raises ImproperlyConfigured: it is not of that form.
    """
    count, _, period = rate.partition("/")
    if not count.isdecimal() or int(count) < 1 or period not in _SECONDS:
        raise ImproperlyConfigured(f"{rate!r} is not a rate like 600/minute.")
    return int(count), _SECONDS[period]


class RateLimit(BaseThrottle):
    """So many requests of one caller in a window of fixed length.

    The rate comes from the setting `API_RATE_LIMITS[name]`, else from `rate`. When the
    cache is down a limit with `open_when_blind` lets everybody pass; one that guards
    secrets sets it to False and answers 503.
    """

    name: ClassVar[str] = "api"
    rate: ClassVar[str] = "1200/minute"
    open_when_blind: ClassVar[bool] = True

    standing: Standing | None = None

    def allow_request(self, request: Any, view: Any) -> bool:
        identity = self.identity(request, view)
        if identity is None:
            return True
        quota, window = parse_rate(
            getattr(settings, "API_RATE_LIMITS", {}).get(self.name, self.rate)
        )
        moment = time.time()
        used = self._count(identity, window=window, slot=int(moment // window))
        if used is None:
            return True
        self.standing = Standing(
            name=self.name,
            quota=quota,
            window=window,
            remaining=max(0, quota - used),
            resets_in=window - int(moment % window),
        )
        # For whoever tells the limits when the view itself does not.
        request.rate_limits = (*getattr(request, "rate_limits", ()), self.standing)
        return used <= quota

    def wait(self) -> float | None:
        return None if self.standing is None else float(self.standing.resets_in)

    def identity(self, request: Any, view: Any) -> str | None:
        """Whom the limit counts: the user, or the address of a stranger. None: nobody."""
        # The attribute behind `request.user`: a sign-in that failed must not run again here.
        user = getattr(request, "_user", None)
        if user is not None and getattr(user, "is_authenticated", False):
            own: str | None = getattr(getattr(request, "_auth", None), "rate_identity", None)
            if own is not None:
                return own
            return f"user:{user.pk}"
        return f"address:{client_address(request)}"

    def _count(self, identity: str, *, window: int, slot: int) -> int | None:
        # Hashed: an identity may hold what a person typed, of any length.
        digest = hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:32]
        key = f"rate:{self.name}:{slot}:{digest}"
        try:
            return counters.count(key, seconds=window + 1)
        except redis.exceptions.RedisError:
            if not self.open_when_blind:
                raise DependencyDown from None
            log.warning("rate_limit_blind", limit=self.name)
            return None


def rate_limit_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """The headers that tell how a caller stands with some limits."""
    if not standings:
        return {}
    return {
        "RateLimit-Policy": ", ".join(standing.policy for standing in standings),
        "RateLimit": ", ".join(standing.limit for standing in standings),
    }


class ThrottledView:
    """Tells the limits in every answer, also in refusals that come before them."""

    _standings: tuple[Standing, ...] | None = None

    def check_throttles(self, request: Any) -> None:
        """:raises TooManyRequests: one of the view's limits is used up."""
        view: Any = self
        standings: list[Standing] = []
        refused: Standing | None = None
        self._standings = ()
        for throttle in view.get_throttles():
            allowed = throttle.allow_request(request, view)
            standing = getattr(throttle, "standing", None)
            if standing is not None:
                standings.append(standing)
                refused = refused if allowed else _later(refused, standing)
        self._standings = tuple(standings)
        if refused is not None:
            raise TooManyRequests(
                f"Wait {refused.resets_in} seconds.", retry_after=refused.resets_in
            )

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        try:
            super().initial(request, *args, **kwargs)  # type: ignore[misc]
        except Exception:
            if self._standings is None:
                # Refused before its turn: counted all the same, or guessing were free.
                self.check_throttles(request)
            raise

    def rate_limit_headers(self) -> dict[str, str]:
        return rate_limit_headers(self._standings or ())


def _later(one: Standing | None, other: Standing) -> Standing:
    return other if one is None or other.resets_in > one.resets_in else one
