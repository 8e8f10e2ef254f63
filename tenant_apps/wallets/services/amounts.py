"""What an amount must be before it touches a wallet."""

from __future__ import annotations

from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.wallets import errors

# In minor units. Sums of thousands of such amounts still fit in 64 bits.
LARGEST_AMOUNT = 10**15


@step
def check_amount(*, amount: Money, currency: str) -> None:
    """Whether a wallet of the currency can move the amount at all.

    :raises BadInput: it is not above zero.
    :raises CreditAmountTooLarge: it is absurd.
    :raises WalletCurrencyDiffers: it is in another currency.
    """
    if not amount.is_positive:
        raise BadInput.field("amount", detail="It is more than nothing.")
    if amount.minor > LARGEST_AMOUNT:
        most = Money(LARGEST_AMOUNT, amount.currency)
        raise errors.CreditAmountTooLarge(f"At most {most} at once.")
    if amount.currency != currency:
        raise errors.WalletCurrencyDiffers(
            f"The wallet is in {currency}, the amount in {amount.currency}."
        )
