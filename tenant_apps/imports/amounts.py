"""From a book's amounts to money."""

from decimal import Decimal

from shared_apps.kernel.currencies import decimals
from shared_apps.kernel.money import Money
from tenant_apps.imports.sales_book import Refused

_LARGEST = 2**62


def money_of(amount: Decimal, *, currency: str) -> Money:
    """An amount in major units as money.

    :raises Refused: it has more decimals than the currency, or is too large.
    """
    minor = amount.scaleb(decimals(currency))
    if minor != minor.to_integral_value():
        raise Refused("amount_too_fine", f"{amount} has more decimals than {currency} has.")
    if minor > _LARGEST:
        raise Refused("amount_too_large", f"{amount} is too large.")
    return Money(int(minor), currency)
