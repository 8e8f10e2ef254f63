"""The same story in both organizations: equal primary keys, different marks in every text."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from uuid import UUID

from django.db import transaction

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.access.selectors import root_unit
from shared_apps.access.services import place_member
from shared_apps.accounts.models import User
from shared_apps.accounts.services import NewUser, create_users, start_session
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.deals.services import DealWin, NewDeal, note_activity, record_deals, win_deals
from tenant_apps.parties.services import NewClient, add_contact, record_clients
from tenant_apps.payments.services import (
    NewPayment,
    record_payments,
    reject_payment,
    verify_payment,
)
from tenant_apps.products.models import TaxCategory
from tenant_apps.products.services import NewProduct, record_products, record_tax_rate
from tenant_apps.teams.services import add_member, create_team
from tenant_apps.wallets import services as wallets
from tenants.context import tenant_context
from tenants.models import Organization
from tests.template import repeatable_ids

ROLES = ("admin", "supervisor", "verifier", "team_lead", "salesperson")


def mark_of(organization: Organization) -> str:
    """A text that stands in nothing but this organization's data."""
    return f"mark{organization.schema_name.removeprefix('t_test_')}qzx"


def tell(organization: Organization) -> dict[str, str]:
    """Write the story; answer an access token for each role."""
    with tenant_context(organization), transaction.atomic(), repeatable_ids(day=1):
        return _tell(mark_of(organization))


def _tell(mark: str) -> dict[str, str]:
    system = system_actor("story")
    today = clock.today("Africa/Nairobi")
    users = create_users(
        actor=system,
        people=[
            NewUser(email=f"{role}@{mark}.example", full_name=f"{role} {mark}", phone=f"+{mark}")
            for role in ROLES
        ],
    )
    people: dict[str, User] = dict(zip(ROLES, users, strict=True))
    team = create_team(actor=system, name=f"Team {mark}", lead_id=people["team_lead"].pk)
    seller = people["salesperson"]
    add_member(actor=system, team_id=team.pk, user_id=seller.pk)
    for role in ("admin", "supervisor", "verifier"):
        place_member(actor=system, user_id=people[role].pk, unit=root_unit(), role=role)
    rate = record_tax_rate(
        actor=system,
        code=f"T{mark}"[:20],
        name=f"Tax {mark}",
        category=TaxCategory.STANDARD,
        percent=Decimal(16),
    )
    (product,) = record_products(
        actor=system,
        products=[
            NewProduct(
                code=f"P{mark}",
                name=f"Product {mark}",
                list_price=Money(100_00, "KES"),
                tax_rate_id=rate.id,
            )
        ],
    )
    acting = actor_for_user(user_id=seller.pk)
    (client,) = record_clients(
        actor=acting,
        clients=[
            NewClient(
                name=f"Client {mark}",
                email=f"client@{mark}.example",
                address_line_1=f"Street {mark}",
                owner_id=seller.pk,
                unit_id=team.unit_id,
            )
        ],
    )
    add_contact(
        actor=acting, party_id=client.id, values={"full_name": f"Contact {mark}", "phone": "+1"}
    )
    deals = record_deals(
        actor=acting,
        deals=[
            NewDeal(
                owner_id=seller.pk,
                unit_id=team.unit_id,
                value=Money(1_000_00 + number, "KES"),
                name=f"Deal {number} {mark}",
                client_id=client.id,
                product_id=product.id,
            )
            for number in range(3)
        ],
    )
    note_activity(actor=acting, deal_id=deals[0].id, kind="note", text=f"Note {mark}")
    win_deals(
        actor=acting, wins=[DealWin(deal_id=deals[0].id, comment=f"Won {mark}", closed_on=today)]
    )
    payments = record_payments(
        actor=acting,
        payments=[
            NewPayment(
                deal_id=deals[0].id,
                method="cash",
                amount=Money(100_00 + number, "KES"),
                paid_on=today - timedelta(days=1),
                external_reference=f"Ref {number} {mark}",
                note=f"Payment note {mark}",
            )
            for number in range(3)
        ],
    )
    verifier = actor_for_user(user_id=people["verifier"].pk)
    verify_payment(actor=verifier, payment_id=payments[0].id, remarks=f"Verified {mark}")
    reject_payment(actor=verifier, payment_id=payments[1].id, remarks=f"Rejected {mark}")
    _tell_of_credit(mark, seller=people["salesperson"], verifier=people["verifier"])
    return {
        role: start_session(
            user=person, method="credentials", actor=system, second_factor_at=clock.now()
        ).tokens.access
        for role, person in people.items()
    }


def _tell_of_credit(mark: str, *, seller: User, verifier: User) -> None:
    """The salesperson sells against credit as well; the verifier keeps the wallets."""
    system = system_actor("story")
    place_member(actor=system, user_id=seller.pk, unit=root_unit(), role="seller")
    place_member(actor=system, user_id=verifier.pk, unit=root_unit(), role="wallet_admin")
    sellers = [
        wallets.add_seller(
            actor=system,
            seller=wallets.NewSeller(
                name=f"Kiosk {number} {mark}",
                phone=f"+{mark}",
                user_id=seller.pk if number == 0 else None,
                may_transfer=True,
            ),
        )
        for number in range(2)
    ]
    giver, _ = (
        wallets.open_wallet(actor=system, seller_id=row.pk, currency="KES") for row in sellers
    )
    acting = actor_for_user(user_id=seller.pk)
    deposits = [
        wallets.request_deposit(
            actor=acting,
            deposit=wallets.NewDeposit(
                wallet_id=giver.pk,
                method="cash",
                amount=Money(50_00 + number, "KES"),
                paid_on=clock.today("Africa/Nairobi"),
                external_reference=f"Slip {number} {mark}",
                note=f"Deposit note {mark}",
            ),
        )
        for number in range(3)
    ]
    keeper = actor_for_user(user_id=verifier.pk)
    wallets.approve_deposit(actor=keeper, deposit_id=deposits[0].pk, remark=f"Seen {mark}")
    wallets.deny_deposit(actor=keeper, deposit_id=deposits[1].pk, reason=f"Missing {mark}")
    wallets.transfer_credit(
        actor=acting,
        transfer=wallets.NewTransfer(
            wallet_id=giver.pk,
            to_seller=sellers[1].reference,
            amount=Money(5_00, "KES"),
            note=f"Gift {mark}",
        ),
    )
    _tell_of_sales(mark, acting=acting, wallet_id=giver.pk)


def _tell_of_sales(mark: str, *, acting: Actor, wallet_id: UUID) -> None:
    system = system_actor("story")
    wallets.add_operator(actor=system, code="savanna", name=f"Operator {mark}", prefixes=["+2547"])
    for _ in range(2):
        wallets.place_charge_sale(
            actor=acting,
            sale=wallets.NewSale(
                wallet_id=wallet_id, phone="+254712345678", amount=Money(1_00, "KES")
            ),
        )
    wallets.upload_charge_batch(
        actor=acting,
        wallet_id=wallet_id,
        file=BytesIO(f"phone,amount\n0712345678,1.00\n{mark},1.00\n".encode()),
    )
    wallets.reconcile_provider_file(
        actor=system,
        file=BytesIO(f"reference,phone,amount,status,time\n{mark},{mark},x,x,x\n".encode()),
        file_name=f"{mark}.csv",
        currency="KES",
        starts_at=clock.now() - timedelta(days=1),
        ends_at=clock.now() + timedelta(days=1),
    )
