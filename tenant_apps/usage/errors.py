from shared_apps.kernel.errors import RuleRefused


class QuotaExceeded(RuleRefused):
    """The plan's quota is used up. `extra` says which, how much is used, and what is left."""

    code = "quota_exceeded"
    title = "The plan's quota is used up"
