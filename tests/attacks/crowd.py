"""More than a page's worth of every kind of row that a list shows, alike each to each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from shared_apps.access import services as access
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.services import add_sign_in_policy, issue_api_key
from shared_apps.kernel import clock
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.seals.models import Segment
from tenant_apps.commissions.services import add_plan
from tenant_apps.deals.services import (
    DealWin,
    change_deal,
    change_stages,
    note_activity,
    record_deals,
    win_deals,
)
from tenant_apps.deals.services.stages import StageMove
from tenant_apps.invariants.models import InvariantAlarm
from tenant_apps.invariants.services import watch
from tenant_apps.invoices.models import InvoiceSeries
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.models import Account
from tenant_apps.ledger.services import open_fiscal_year
from tenant_apps.limits.models import Overrun
from tenant_apps.limits.services import request_override, set_limit
from tenant_apps.parties.services import NewClient, add_contact, record_clients
from tenant_apps.payments.services import Verification, record_payments, verify_payments
from tenant_apps.products.models import TaxCategory
from tenant_apps.products.services import NewProduct, record_products, record_tax_rate
from tenant_apps.teams.services import add_member
from tenant_apps.wallets import services as wallets
from tenant_apps.wallets.providers import ChargeAnswer, Outcome
from tests.cast import Cast, assemble
from tests.deals.stories import a_deal, kes, new_deal
from tests.ledger.conftest import posting
from tests.payments.stories import new_payment
from tests.people import actor_of, make_person, make_team

MANY = 21
CURRENCIES = (
    "KES USD EUR GBP JPY CHF SEK NOK DKK ZAR TZS UGX RWF NGN GHS INR CNY BRL CAD AUD NZD"
).split()
CLOSED = date(2026, 3, 1)


class Crowd:
    """Deals of as many clients and products, each won, half paid and once more to be verified."""

    def __init__(self) -> None:
        self.cast: Cast = assemble()
        self.system = self.cast.system
        self._people()
        self._catalogue()
        self._business()
        self._one_deal()
        self._credit()
        self._sales()
        self._books()
        self._limits()

    def _people(self) -> None:
        self.people = [make_person(f"Person {number}") for number in range(MANY)]
        for person in self.people:
            access.grant_membership(
                actor=self.system, user_id=person.pk, unit_id=root_unit().pk, role="supervisor"
            )
            issue_api_key(
                actor=self.system.changed(user_id=person.pk),
                name="Till",
                permissions=["deals.view_deal"],
            )
        self.team = make_team("Crowd", lead=self.people[0])
        for person in self.people[1:]:
            add_member(actor=self.system, team_id=self.team.pk, user_id=person.pk)
        for number in range(MANY):
            make_team(f"Team {number}", lead=self.people[number])
            access.create_role(
                actor=self.system, code=f"role_{number}", name=f"Role {number}", grants=[]
            )
            add_sign_in_policy(actor=self.system, role=f"role_{number}", factor="code")

    def _catalogue(self) -> None:
        self.clients = record_clients(
            actor=self.system,
            clients=[
                NewClient(
                    name=f"Client {number}",
                    owner_id=self.cast.user("olga").pk,
                    unit_id=self.cast.units["north"].pk,
                )
                for number in range(MANY)
            ],
        )
        for number in range(MANY):
            add_contact(
                actor=self.system,
                party_id=self.clients[0].pk,
                values={"full_name": f"Contact {number}"},
            )
            record_tax_rate(
                actor=self.system,
                code=f"T{number}",
                name=f"Tax {number}",
                category=TaxCategory.STANDARD,
                percent=Decimal(number + 1),
            )
            add_plan(
                actor=self.system,
                name=f"Plan {number}",
                percent=Decimal(5),
                starts_on=date(2030, 1, 1) + timedelta(days=number),
            )
            InvoiceSeries.objects.create(code=f"S{number}", is_default=False)
        self.products = record_products(
            actor=self.system,
            products=[
                NewProduct(code=f"P{number}", name=f"Product {number}", list_price=kes("1.00"))
                for number in range(MANY)
            ],
        )
        for year in (2040, 2041):
            open_fiscal_year(actor=self.system, fiscal_year=year)

    def _business(self) -> None:
        olga = self.cast.actor("olga")
        self.deals = record_deals(
            actor=olga,
            deals=[
                new_deal(self.cast, client_id=client.pk, product_id=product.pk)
                for client, product in zip(self.clients, self.products, strict=True)
            ],
        )
        win_deals(
            actor=olga, wins=[DealWin(deal_id=deal.pk, closed_on=CLOSED) for deal in self.deals]
        )
        paid = record_payments(
            actor=olga, payments=[new_payment(deal, kes("500.00")) for deal in self.deals]
        )
        verify_payments(
            actor=self.cast.actor("vera"),
            verifications=[Verification(payment_id=payment.pk) for payment in paid],
        )
        record_payments(
            actor=olga, payments=[new_payment(deal, kes("100.00")) for deal in self.deals]
        )
        for person in self.people:
            access.grant_object(
                actor=self.system,
                user_id=person.pk,
                permission="deals.view_deal",
                subject=self.deals[0],
            )

    def _one_deal(self) -> None:
        """A deal with a long history."""
        self.deal = a_deal(self.cast, client_id=self.clients[0].pk)
        olga = self.cast.actor("olga")
        for number in range(MANY):
            note_activity(actor=olga, deal_id=self.deal.pk, kind="note", text=f"Note {number}")
            change_deal(actor=olga, deal_id=self.deal.pk, changes={"name": f"Name {number}"})
            stage = ("engaging", "prospecting")[number % 2]
            move = StageMove(deal_id=self.deal.pk, to_stage=stage, occurred_on=clock.today("UTC"))
            change_stages(actor=olga, moves=[move])

    def _credit(self) -> None:
        """Sellers, one of them with a long history of credit."""
        self.sellers = [
            wallets.add_seller(actor=self.system, seller=wallets.NewSeller(name=f"Kiosk {number}"))
            for number in range(MANY)
        ]
        self.wallets = [
            wallets.open_wallet(actor=self.system, seller_id=seller.pk, currency="KES")
            for seller in self.sellers
        ]
        wallets.change_policy(actor=self.system, transfers_allowed=True)
        keeper = make_person("Wanda Wallets", role="wallet_admin")
        for _ in range(MANY):
            deposit = wallets.request_deposit(
                actor=self.system,
                deposit=wallets.NewDeposit(
                    wallet_id=self.wallets[0].pk,
                    method="cash",
                    amount=kes("100.00"),
                    paid_on=CLOSED,
                ),
            )
            wallets.approve_deposit(actor=actor_of(keeper), deposit_id=deposit.pk)
            wallets.transfer_credit(
                actor=self.system,
                transfer=wallets.NewTransfer(
                    wallet_id=self.wallets[0].pk,
                    to_seller=self.sellers[1].reference,
                    amount=kes("1.00"),
                ),
            )

    def _sales(self) -> None:
        for number in range(MANY):
            wallets.add_operator(
                actor=self.system,
                code=f"operator-{number}",
                name=f"Operator {number}",
                prefixes=[f"+2547{number:02d}"],
            )
        for number in range(MANY):
            wallets.place_charge_sale(
                actor=self.system,
                sale=wallets.NewSale(
                    wallet_id=self.wallets[0].pk, phone="+254712345678", amount=kes("1.00")
                ),
            )
            sale = wallets.place_charge_sale(
                actor=self.system,
                sale=wallets.NewSale(
                    wallet_id=self.wallets[0].pk, phone="+254712345678", amount=kes("1.00")
                ),
            )
            wallets.settle_sale(
                sale_id=sale.pk, answer=ChargeAnswer(outcome=Outcome.DELIVERED), actor=self.system
            )
            wallets.request_charge_refund(
                actor=self.system, sale_id=sale.pk, reason=f"Wrong number {number}."
            )
            self.batch = wallets.upload_charge_batch(
                actor=self.system,
                wallet_id=self.wallets[0].pk,
                file=BytesIO(b"phone,amount\n" + b"0712345678,1.00\n" * MANY),
            )
            self.reconciliation = wallets.reconcile_provider_file(
                actor=self.system,
                file=BytesIO(
                    b"reference,phone,amount,status,time\n"
                    + b"x,+254712345678,1.00,delivered,2026-03-02\n" * MANY
                ),
                file_name="provider.csv",
                currency="KES",
                starts_at=datetime(2026, 3, 1 + number, tzinfo=UTC),
                ends_at=datetime(2026, 4, 1, tzinfo=UTC),
            )

    def _books(self) -> None:
        """Held funds, one hold with a long life, and what watches and seals leave behind."""
        party = self.clients[0].pk
        cash = posting("payment.received.cash", amount="100.00", party=party)
        ledger.post(postings=[cash], actor=self.system)
        for _ in range(MANY):
            source = uuid7()
            request = ledger.HoldRequest(
                id=uuid8_near(source, "hold"),
                account_code="2000",
                subledger_id=party,
                amount=kes("1.00"),
                source_type="tests.document",
                source_id=source,
            )
            (held,) = ledger.reserve(holds=[request], actor=self.system)
        self.hold_id = held.hold_id
        for _ in range(MANY):
            ledger.capture(
                hold_id=self.hold_id,
                posting=posting("payment.allocated", amount="0.01", party=party),
                actor=self.system,
                release_rest=False,
            )
        watch(actor=self.system)
        now = clock.now()
        InvariantAlarm.objects.bulk_create(
            InvariantAlarm(invariant="ledger.held", concerns="ledger", findings=[], opened_at=now)
            for _ in range(MANY)
        )
        digest = bytes(32)
        Segment.objects.bulk_create(
            Segment(
                chain="transfers",
                number=number,
                form=1,
                first=number,
                rows=1,
                root=digest,
                previous=digest,
                sealed_at=now,
                key_id="tests",
                digest=digest,
                signature=bytes(64),
            )
            for number in range(1, MANY + 1)
        )

    def _limits(self) -> None:
        """A client who is known in many currencies, and asks for more."""
        client = self.clients[0]
        for currency in CURRENCIES:
            set_limit(
                actor=self.system,
                client_id=client.pk,
                currency=currency,
                amount=Money(10**9, currency),
                mode="warn",
                reason="They pay on time.",
            )
        line = {"subject_type": "tests.client", "subject_id": client.pk, "currency": "KES"}
        self.credit_line_id = ledger.open_credit_line(actor=self.system, **line)
        for number in range(MANY):
            ledger.set_credit_limit(
                id=uuid7(),
                limit=kes(f"{number}.00"),
                effective_on=CLOSED,
                source_type="tests.decision",
                source_id=uuid7(),
                actor=self.system,
                **line,
            )
        for _ in range(MANY):
            request_override(
                actor=self.cast.actor("olga"),
                client_id=client.pk,
                amount=kes("1.00"),
                valid_until=clock.today("UTC") + timedelta(days=9),
                reason="They are good for it.",
            )
        Overrun.objects.bulk_create(
            Overrun(
                client=client,
                currency="KES",
                source_type="tests.document",
                source_id=uuid7(),
                cause="warned",
                amount_minor=1,
                limit_minor=1,
                used_minor=2,
                reason="",
            )
            for _ in range(MANY)
        )

    @property
    def bank(self) -> Any:
        """The account that took the money of all."""
        return Account.objects.filter(code="1000", currency="KES").order_by("-created_at")[0]


# For each list of the router: who reads it, and what stands in its address and its query.
Reader = Callable[[Crowd], tuple[str, str]]
LISTS: dict[str, Reader] = {
    "sessions/": lambda c: ("ada", "sessions/"),
    "users/": lambda c: ("ada", "users/"),
    "units/": lambda c: ("ada", "units/"),
    "roles/": lambda c: ("ada", "roles/"),
    "memberships/": lambda c: ("ada", "memberships/"),
    "object-grants/": lambda c: (
        "ada",
        f"object-grants/?subject_type=deals.deal&subject_id={c.deals[0].pk}",
    ),
    "api-keys/": lambda c: ("ada", "api-keys/"),
    "sign-in-policies/": lambda c: ("ada", "sign-in-policies/"),
    "audit-entries/": lambda c: ("ada", "audit-entries/"),
    "field-history/": lambda c: (
        "ada",
        f"field-history/?subject_type=deals.deal&subject_id={c.deal.pk}",
    ),
    "approvals/": lambda c: ("vera", "approvals/"),
    "ledger/accounts/": lambda c: ("ada", "ledger/accounts/"),
    "ledger/accounts/<uuid:account_id>/statement/": lambda c: (
        "ada",
        f"ledger/accounts/{c.bank.pk}/statement/",
    ),
    "ledger/holds/": lambda c: ("ada", "ledger/holds/"),
    "ledger/holds/<uuid:hold_id>/entries/": lambda c: (
        "ada",
        f"ledger/holds/{c.hold_id}/entries/",
    ),
    "ledger/credit-lines/": lambda c: ("ada", "ledger/credit-lines/"),
    "ledger/credit-lines/<uuid:line_id>/entries/": lambda c: (
        "ada",
        f"ledger/credit-lines/{c.credit_line_id}/entries/",
    ),
    "ledger/transfers/": lambda c: ("ada", "ledger/transfers/"),
    "ledger/journals/": lambda c: ("ada", "ledger/journals/"),
    "ledger/posting-rules/": lambda c: ("ada", "ledger/posting-rules/"),
    "ledger/periods/": lambda c: ("ada", "ledger/periods/"),
    "clients/": lambda c: ("olga", "clients/"),
    "clients/<uuid:client_id>/contacts/": lambda c: (
        "olga",
        f"clients/{c.clients[0].pk}/contacts/",
    ),
    "clients/<uuid:client_id>/credit-limits/": lambda c: (
        "sam",
        f"clients/{c.clients[0].pk}/credit-limits/",
    ),
    "credit-limit-overrides/": lambda c: ("sam", "credit-limit-overrides/"),
    "credit-overruns/": lambda c: ("sam", "credit-overruns/"),
    "invariants/": lambda c: ("ada", "invariants/"),
    "invariants/alarms/": lambda c: ("ada", "invariants/alarms/"),
    "seals/": lambda c: ("ada", "seals/"),
    "products/": lambda c: ("olga", "products/"),
    "tax-rates/": lambda c: ("olga", "tax-rates/"),
    "teams/": lambda c: ("ada", "teams/"),
    "teams/<uuid:team_id>/members/": lambda c: ("ada", f"teams/{c.team.pk}/members/"),
    "deals/": lambda c: ("olga", "deals/?expand=client,product,owner"),
    "deals/<uuid:deal_id>/stage-changes/": lambda c: ("olga", f"deals/{c.deal.pk}/stage-changes/"),
    "deals/<uuid:deal_id>/activities/": lambda c: ("olga", f"deals/{c.deal.pk}/activities/"),
    "deals/<uuid:deal_id>/history/": lambda c: ("olga", f"deals/{c.deal.pk}/history/"),
    "invoices/": lambda c: ("olga", "invoices/?expand=deal,recipient"),
    "invoice-series/": lambda c: ("ada", "invoice-series/"),
    "payments/": lambda c: ("olga", "payments/?state=verified"),
    "verification-queue/": lambda c: ("vera", "verification-queue/"),
    "payment-invoices/": lambda c: ("olga", "payment-invoices/"),
    "commissions/": lambda c: ("olga", "commissions/"),
    "commission-plans/": lambda c: ("ada", "commission-plans/"),
    "sellers/": lambda c: ("ada", "sellers/"),
    "wallets/": lambda c: ("ada", "wallets/"),
    "wallets/<uuid:wallet_id>/history/": lambda c: ("ada", f"wallets/{c.wallets[0].pk}/history/"),
    "deposit-requests/": lambda c: ("ada", "deposit-requests/"),
    "operators/": lambda c: ("ada", "operators/"),
    "charge-sales/": lambda c: ("ada", "charge-sales/"),
    "charge-refunds/": lambda c: ("ada", "charge-refunds/"),
    "charge-batches/": lambda c: ("ada", "charge-batches/"),
    "charge-batches/<uuid:batch_id>/rows/": lambda c: (
        "ada",
        f"charge-batches/{c.batch.pk}/rows/",
    ),
    "charge-reconciliations/": lambda c: ("ada", "charge-reconciliations/"),
    "charge-reconciliations/<uuid:file_id>/rows/": lambda c: (
        "ada",
        f"charge-reconciliations/{c.reconciliation.pk}/rows/",
    ),
    "wallet-transfers/": lambda c: ("ada", "wallet-transfers/"),
    "dashboards/figures/": lambda c: ("sam", "dashboards/figures/?by=client"),
}
# Lists that the product itself fills and nobody adds to; they show what there is.
FIXED = {"ledger/posting-rules/", "invariants/"}
