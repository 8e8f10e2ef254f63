"""What the reference tables cannot answer."""

from shared_apps.kernel.errors import BadInput, RuleRefused


class NoRate(RuleRefused):
    """No exchange rate of the two currencies was published near the day."""

    code = "no_exchange_rate"
    title = "There is no exchange rate for that day."


class UnreadableRates(BadInput):
    """A table of rates is not of the expected shape."""

    code = "unreadable_rates"
    title = "The table of rates cannot be read."
