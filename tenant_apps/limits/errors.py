"""What goes wrong with credit limits, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import BadInput, Conflict, RuleRefused


class CreditLimitExceeded(RuleRefused):
    """The client's limit refuses invoices above it.

    `extra` tells limit, used, available, wanted and by how much the client would stand above.
    """

    code = "credit_limit_exceeded"
    title = "The client's credit limit does not allow this invoice."


class LimitDayPassed(BadInput):
    """A limit takes effect today or later: nobody could have kept it before."""

    code = "limit_day_passed"
    title = "A limit cannot take effect on a day that has passed."


class OverrideExpired(Conflict):
    """The last day on which it could be used is over."""

    code = "limit_override_expired"
    title = "The override has expired."


class NoLimitToOverride(RuleRefused):
    """The client has no limit in this currency that could be overridden."""

    code = "no_limit_to_override"
    title = "The client has no credit limit in this currency."
