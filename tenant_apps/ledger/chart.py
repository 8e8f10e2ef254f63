"""The standard chart of accounts and the posting rules that every organization starts with."""

from dataclasses import dataclass

from .models import AccountKind, Side

OPENING_EQUITY = "3000"
CURRENCY_POSITION = "1900"
BANK_CHARGES = "5100"

# Lock ranks: what belongs to one party or user is locked first, what everybody shares last.
OWN = 0
SHARED = 100

NORMAL_SIDES = {
    AccountKind.ASSET: Side.DEBIT,
    AccountKind.EXPENSE: Side.DEBIT,
    AccountKind.LIABILITY: Side.CREDIT,
    AccountKind.EQUITY: Side.CREDIT,
    AccountKind.INCOME: Side.CREDIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartLine:
    """A line of the chart. `floor` (minor units) is the least that its accounts may hold.

    What rules credit a `deferred` line with is counted later, so that sales do not queue at it.
    """

    code: str
    name: str
    kind: AccountKind
    subledger: str = ""
    floor: int | None = None
    deferred: bool = False

    @property
    def normal_side(self) -> Side:
        return NORMAL_SIDES[self.kind]

    @property
    def lock_rank(self) -> int:
        return OWN if self.subledger else SHARED


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """The named amount goes to the debit of one line of the chart and the credit of another."""

    amount: str
    debit: str
    credit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A posting rule."""

    code: str
    name: str
    lines: tuple[RuleLine, ...]


def _received(*, method: str, name: str, account: str) -> Rule:
    return Rule(
        code=f"payment.received.{method}",
        name=f"Payment received: {name}",
        lines=(RuleLine(amount="amount", debit=account, credit="2000"),),
    )


def _deposited(*, method: str, name: str, account: str) -> Rule:
    return Rule(
        code=f"wallet.deposited.{method}",
        name=f"Seller's deposit: {name}",
        lines=(RuleLine(amount="amount", debit=account, credit="2400"),),
    )


ASSET, LIABILITY, EQUITY, INCOME, EXPENSE = AccountKind

CHART: tuple[ChartLine, ...] = (
    ChartLine(code="1000", name="Cash on hand", kind=ASSET),
    ChartLine(code="1010", name="Bank", kind=ASSET),
    ChartLine(code="1020", name="Cheques to be cleared", kind=ASSET),
    ChartLine(code="1030", name="Mobile money", kind=ASSET),
    ChartLine(code="1040", name="Card receipts to be settled", kind=ASSET),
    ChartLine(code="1200", name="Trade receivables", kind=ASSET, subledger="party"),
    ChartLine(code="1500", name="Equipment", kind=ASSET),
    # What was given of one currency and taken of another, each even in itself.
    ChartLine(code=CURRENCY_POSITION, name="Currency position", kind=ASSET),
    # A customer's deposit can be used up but not overdrawn.
    ChartLine(code="2000", name="Customer deposits", kind=LIABILITY, subledger="party", floor=0),
    ChartLine(code="2100", name="Tax payable", kind=LIABILITY, deferred=True),
    ChartLine(code="2200", name="Commissions payable", kind=LIABILITY, subledger="user"),
    ChartLine(code="2300", name="Trade payables", kind=LIABILITY),
    # What a seller paid in before selling; it can be used up but not overdrawn.
    ChartLine(code="2400", name="Seller credit", kind=LIABILITY, subledger="seller", floor=0),
    ChartLine(code="2410", name="Owed to charge providers", kind=LIABILITY),
    ChartLine(code=OPENING_EQUITY, name="Opening balance equity", kind=EQUITY),
    ChartLine(code="3100", name="Owner's capital", kind=EQUITY),
    ChartLine(code="3200", name="Retained earnings", kind=EQUITY),
    ChartLine(code="4000", name="Sales revenue", kind=INCOME, deferred=True),
    ChartLine(code="4900", name="Other income", kind=INCOME),
    ChartLine(code="5000", name="Commission expense", kind=EXPENSE),
    ChartLine(code=BANK_CHARGES, name="Bank and payment charges", kind=EXPENSE),
    ChartLine(code="5200", name="Rent", kind=EXPENSE),
    ChartLine(code="5300", name="Bad debts", kind=EXPENSE),
    ChartLine(code="5900", name="Other expenses", kind=EXPENSE),
)

RULES: tuple[Rule, ...] = (
    Rule(
        code="invoice.issued",
        name="Invoice issued",
        lines=(
            RuleLine(amount="net", debit="1200", credit="4000"),
            RuleLine(amount="tax", debit="1200", credit="2100"),
        ),
    ),
    _received(method="cash", name="cash", account="1000"),
    _received(method="bank_transfer", name="bank transfer", account="1010"),
    _received(method="cheque", name="cheque", account="1020"),
    _received(method="mobile_money", name="mobile money", account="1030"),
    _received(method="card", name="card", account="1040"),
    Rule(
        code="payment.allocated",
        name="Payment allocated to an invoice",
        lines=(RuleLine(amount="amount", debit="2000", credit="1200"),),
    ),
    Rule(
        code="commission.accrued",
        name="Commission accrued",
        lines=(RuleLine(amount="amount", debit="5000", credit="2200"),),
    ),
    _deposited(method="cash", name="cash", account="1000"),
    _deposited(method="bank_transfer", name="bank transfer", account="1010"),
    _deposited(method="cheque", name="cheque", account="1020"),
    _deposited(method="mobile_money", name="mobile money", account="1030"),
    _deposited(method="card", name="card", account="1040"),
    Rule(
        code="wallet.transferred",
        name="Credit given by one seller to another",
        lines=(RuleLine(amount="amount", debit="2400", credit="2400"),),
    ),
    Rule(
        code="wallet.charged",
        name="Phone charge sold from a seller's credit",
        lines=(RuleLine(amount="amount", debit="2400", credit="2410"),),
    ),
)
