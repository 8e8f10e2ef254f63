"""The only writer of credit limits, overrides and overruns."""

from tenant_apps.limits.services.counting import Movement, count_receivables
from tenant_apps.limits.services.overriding import approve, request_override, turn_down
from tenant_apps.limits.services.setting import apply_due_limits, set_limit

__all__ = [
    "Movement",
    "apply_due_limits",
    "approve",
    "count_receivables",
    "request_override",
    "set_limit",
    "turn_down",
]
