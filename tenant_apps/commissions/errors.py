"""What can go wrong with commissions, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import Conflict, NotFound, RuleRefused


class CommissionNotFound(NotFound):
    code = "commission_not_found"
    title = "There is no such commission."


class CommissionNotReckoned(Conflict):
    """It waits for a plan or a rate, so there is nothing to explain yet."""

    code = "commission_not_reckoned"
    title = "The commission is not worked out yet."


class PlanDayTaken(Conflict):
    code = "commission_plan_day_taken"
    title = "Another plan starts on this day."


class PlanTooEarly(RuleRefused):
    """A plan never changes what has been earned already."""

    code = "commission_plan_too_early"
    title = "Commissions have accrued on or after this day already."
