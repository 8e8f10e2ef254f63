"""The small door through which organizations read what all of them share."""

from collections.abc import Collection
from datetime import date, timedelta
from fractions import Fraction

from shared_apps.kernel.currencies import is_currency
from shared_apps.reference.errors import NoRate
from shared_apps.reference.models import Currency, ExchangeRate
from tenants.context import platform_context

# Banks publish on working days; the longest run of holidays is shorter than this.
LOOK_BACK = timedelta(days=7)

# A day, the currency that is sold, and the one that is bought.
Wanted = tuple[date, str, str]


def rate_on(*, day: date, base: str, quote: str) -> Fraction:
    """How many units of `quote` one unit of `base` buys: exact, as published for the day.

    On a day without publication it is the last one before, up to seven days back. Two currencies
    that were not published against each other are reckoned through the one that both were
    published against (the euro), on one and the same day.

    :raises NoRate: nothing was published near the day.
    """
    return rates_on(wanted={(day, base, quote)})[day, base, quote]


def rates_on(*, wanted: Collection[Wanted]) -> dict[Wanted, Fraction]:
    """Many rates in one statement, each as `rate_on` gives it.

    :raises NoRate: nothing was published near one of the days.
    """
    found = rates_known(wanted=wanted)
    for day, base, quote in wanted:
        if (day, base, quote) not in found:
            raise NoRate(
                f"No rate of {base} and {quote} was published in the week up to {day.isoformat()}.",
                extra={"day": day.isoformat(), "base": base, "quote": quote},
            )
    return found


def rates_known(*, wanted: Collection[Wanted]) -> dict[Wanted, Fraction]:
    """Those of many rates that were published, in one statement, each as `rate_on` gives it."""
    found = {one: Fraction(1) for one in wanted if one[1] == one[2] and is_currency(one[1])}
    rest = [one for one in wanted if one not in found]
    if not rest:
        return found
    with platform_context(reason="exchange rates"):
        table = _table(rest)
    for day, base, quote in rest:
        rate = _near(table, day=day, base=base, quote=quote)
        if rate is not None:
            found[day, base, quote] = rate
    return found


def currencies_offered() -> list[str]:
    """The codes of the currencies that organizations may keep money in."""
    with platform_context(reason="currencies"):
        return list(Currency.objects.filter(is_active=True).values_list("code", flat=True))


# What one unit of a common base buys on a day, by currency (and of itself: one).
_Table = dict[date, dict[str, dict[str, Fraction]]]


def _table(wanted: Collection[Wanted]) -> _Table:
    days = [day for day, _, _ in wanted]
    codes = {code for _, base, quote in wanted for code in (base, quote)}
    rows = ExchangeRate.objects.filter(
        quote__in=codes, day__range=(min(days) - LOOK_BACK, max(days))
    ).values_list("day", "base", "quote", "rate")
    table: _Table = {}
    for day, common, code, rate in rows.iterator():
        bought = table.setdefault(day, {}).setdefault(common, {common: Fraction(1)})
        bought[code] = Fraction(rate)
    return table


def _near(table: _Table, *, day: date, base: str, quote: str) -> Fraction | None:
    for back in range(LOOK_BACK.days + 1):
        for bought in table.get(day - timedelta(days=back), {}).values():
            if base in bought and quote in bought:
                return bought[quote] / bought[base]
    return None
