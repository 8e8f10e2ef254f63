"""One of everything in Acme; what each route takes of it stands in `matrix_requests`.

Olga owns the deal, in team North which Lea leads and Paul works in; Oscar sells in team South;
Nils is signed in and holds no role; the stranger is not signed in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

from shared_apps.access import services as access
from shared_apps.access.models import Membership
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.accounts.services import add_sign_in_policy, issue_api_key
from shared_apps.documents.models import Document
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.seals.services import seal_chains
from tenant_apps.deals.services import note_activity
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.services import print_invoice
from tenant_apps.ledger.models import (
    FiscalPeriod,
    Hold,
    Transfer,
)
from tenant_apps.ledger.services import HoldRequest, reserve
from tenant_apps.limits.services import request_override, set_limit
from tenant_apps.parties.services import add_contact
from tenant_apps.products.services import NewProduct, record_products
from tenant_apps.wallets import services as wallets
from tenant_apps.wallets.models import ChargeSale, Operator
from tenant_apps.wallets.providers import ChargeAnswer, Outcome
from tests.access.matrix_requests import BATCH, BODIES, IDS, PROVIDER_FILE
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal, kes
from tests.payments.stories import a_payment, a_verified_payment
from tests.people import (
    OrganizationClient,
    actor_of,
    client_of,
    machine,
    make_person,
    make_team,
)

COLUMNS = (
    "admin",
    "supervisor",
    "verifier",
    "lead",
    "owner",
    "colleague",
    "outsider",
    "nobody",
    "stranger",
)


class World:
    """Everything stands before the first request and is the same for each."""

    def __init__(self) -> None:
        self._people()
        self._rights()
        self._business()
        self._books()
        self._credit()
        self.clients = {
            name: client_of(person) for name, person in self.people.items() if name in COLUMNS
        }
        self.clients["stranger"] = OrganizationClient(
            HTTP_HOST="acme.kontor.test", raise_request_exception=False
        )

    def _people(self) -> None:
        lead = make_person("Lea Lead")
        self.north, self.south = make_team("North", lead=lead), make_team("South")
        self.empty_team = make_team("Empty")
        north, south = self.north.unit, self.south.unit
        self.people: dict[str, User] = {
            "admin": make_person("Ada Admin", role="admin"),
            "supervisor": make_person("Sam Supervisor", role="supervisor"),
            "verifier": make_person("Vera Verifier", role="verifier"),
            "lead": lead,
            "owner": make_person("Olga Owner", role="salesperson", unit=north),
            "colleague": make_person("Paul Colleague", role="salesperson", unit=north),
            "outsider": make_person("Oscar Outsider", role="salesperson", unit=south),
            "nobody": make_person("Nils Nobody"),
            "newcomer": make_person("Nora New"),
            "closed_out": make_person("Carl Closed", role="salesperson", unit=north),
        }
        access.deactivate_person(
            actor=actor_of(self.people["admin"]), user_id=self.people["closed_out"].pk
        )
        self.invited = access.invite_person(
            actor=machine(),
            email="invited@acme.example",
            full_name="Ingo Invited",
            roles=[access.FirstRole(unit_id=north.pk, role="salesperson")],
        )
        self.cast = Cast(
            people={
                "olga": self.people["owner"],
                "paul": self.people["colleague"],
                "lea": lead,
                "oscar": self.people["outsider"],
                "vera": self.people["verifier"],
                "sam": self.people["supervisor"],
                "ada": self.people["admin"],
            },
            units={"root": root_unit(), "north": north, "south": south},
        )

    def _rights(self) -> None:
        self.role = access.create_role(actor=machine(), code="own", name="Own", grants=[])
        self.membership = Membership.objects.get(user=self.people["colleague"])
        self.policy = add_sign_in_policy(actor=machine(), role="supervisor", factor="code")
        self.api_key = issue_api_key(
            actor=machine().changed(user_id=self.people["lead"].pk),
            name="Till",
            permissions=["deals.view_deal"],
        ).key

    def _business(self) -> None:
        cast = self.cast
        self.client = a_client(cast)
        self.contact = add_contact(
            actor=machine(), party_id=self.client.pk, values={"full_name": "Connie Contact"}
        )
        self.product = record_products(
            actor=machine(),
            products=[NewProduct(code="P1", name="Product", list_price=kes("10.00"))],
        )[0]
        self.deal = a_deal(cast, client_id=self.client.pk)
        note_activity(
            actor=actor_of(self.people["owner"]), deal_id=self.deal.pk, kind="note", text="Hello"
        )
        # It only warns: what is won here goes above it.
        self.limit = set_limit(
            actor=machine(),
            client_id=self.client.pk,
            currency="KES",
            amount=kes("10.00"),
            mode="warn",
            reason="New here.",
        )
        self.override = request_override(
            actor=actor_of(self.people["owner"]),
            client_id=self.client.pk,
            amount=kes("5.00"),
            valid_until=date(2199, 12, 31),
            reason="A big order.",
        )
        self.won = a_won_deal(cast, client_id=self.client.pk)
        self.paid = a_verified_payment(cast, self.won)
        self.payment = a_payment(cast, self.deal)
        self.invoice = Invoice.objects.get(deal=self.won)
        self.document: Document = print_invoice(actor=machine(), invoice_id=self.invoice.pk)
        self.grant = access.grant_object(
            actor=machine(),
            user_id=self.people["newcomer"].pk,
            permission="deals.change_deal",
            subject=self.won,
        )

    def _books(self) -> None:
        self.transfer = Transfer.objects.order_by("pk").first()
        self.period = FiscalPeriod.objects.order_by("starts_on").first()
        seal_chains()
        source_id = uuid7()
        request = HoldRequest(
            id=uuid8_near(source_id, "hold"),
            account_code="1000",
            amount=kes("5.00"),
            source_type="tests.document",
            source_id=source_id,
        )
        (held,) = reserve(holds=[request], actor=machine())
        self.hold = Hold.objects.get(pk=held.hold_id)

    def _credit(self) -> None:
        """Two sellers; none of the columns is one of them."""
        self.people["wallet_admin"] = make_person("Wanda Wallets", role="wallet_admin")
        self.people["seller"] = make_person("Sita Seller", role="seller")
        self.people["other_seller"] = make_person("Seth Seller", role="seller")
        self.sellers = {
            name: wallets.add_seller(
                actor=machine(),
                seller=wallets.NewSeller(name=f"Kiosk {name}", user_id=self.people[name].pk),
            )
            for name in ("seller", "other_seller")
        }
        self.suspended = wallets.add_seller(
            actor=machine(), seller=wallets.NewSeller(name="Kiosk closed")
        )
        wallets.suspend_seller(actor=machine(), seller_id=self.suspended.pk)
        self.wallets = {
            name: wallets.open_wallet(actor=machine(), seller_id=seller.pk, currency="KES")
            for name, seller in self.sellers.items()
        }
        wallets.change_policy(actor=machine(), transfers_allowed=True)
        deposits = [
            wallets.request_deposit(
                actor=actor_of(self.people["seller"]),
                deposit=wallets.NewDeposit(
                    wallet_id=self.wallets["seller"].pk,
                    method="cash",
                    amount=kes("500.00"),
                    paid_on=date(2026, 3, 10),
                ),
            )
            for _ in range(2)
        ]
        wallets.approve_deposit(
            actor=actor_of(self.people["wallet_admin"]), deposit_id=deposits[0].pk
        )
        self.deposit = deposits[1]
        self.credit_transfer = wallets.transfer_credit(
            actor=actor_of(self.people["seller"]),
            transfer=wallets.NewTransfer(
                wallet_id=self.wallets["seller"].pk,
                to_seller=self.sellers["other_seller"].reference,
                amount=kes("10.00"),
            ),
        )

        wallets.add_operator(actor=machine(), code="savanna", name="Savanna", prefixes=["+2547"])
        self.operator = Operator.objects.get()
        self.sale = wallets.place_charge_sale(
            actor=actor_of(self.people["seller"]),
            sale=wallets.NewSale(
                wallet_id=self.wallets["seller"].pk, phone="0712345678", amount=kes("5.00")
            ),
        )
        self.sold = [self._sold() for _ in range(2)]
        self.refund = wallets.request_charge_refund(
            actor=machine(), sale_id=self.sold[0].pk, reason="Wrong number."
        )
        self.batch = wallets.upload_charge_batch(
            actor=actor_of(self.people["seller"]),
            wallet_id=self.wallets["seller"].pk,
            file=BytesIO(BATCH),
        )
        self.reconciliation = wallets.reconcile_provider_file(
            actor=machine(),
            file=BytesIO(PROVIDER_FILE),
            file_name="provider.csv",
            currency="KES",
            starts_at=datetime(2026, 3, 1, tzinfo=UTC),
            ends_at=datetime(2026, 4, 1, tzinfo=UTC),
        )

    def _sold(self) -> ChargeSale:
        sale = wallets.place_charge_sale(
            actor=actor_of(self.people["seller"]),
            sale=wallets.NewSale(
                wallet_id=self.wallets["seller"].pk, phone="0712345678", amount=kes("5.00")
            ),
        )
        return wallets.settle_sale(
            sale_id=sale.pk, answer=ChargeAnswer(outcome=Outcome.DELIVERED), actor=machine()
        )

    def ids(self, route: str) -> dict[str, Any]:
        """What stands in the places of a route's address."""
        for beginning, find in IDS.items():
            if route.startswith(f"api/v1/{beginning}"):
                return {name: str(value) for name, value in find(self).items()}
        return {}

    def body(self, method: str, route: str) -> Any:
        """What the route takes with the method, valid as far as the actor is concerned."""
        make = BODIES.get((method, route.removeprefix("api/v1/")))
        return make(self) if make else None
