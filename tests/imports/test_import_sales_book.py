"""What an import makes of small books of our own."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core import mail

from shared_apps.access.actors import system_actor
from shared_apps.access.models import Membership
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail
from shared_apps.documents.models import Document
from shared_apps.kernel.actor import AllowsNothing
from shared_apps.kernel.errors import Forbidden
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.commissions.models import Commission
from tenant_apps.deals.models import Deal, Stage
from tenant_apps.imports.errors import SourceUnreadable, VerifierUnknown
from tenant_apps.imports.models import ImportFinding, ImportRun, ImportState
from tenant_apps.invoices.models import Invoice
from tenant_apps.parties.models import Party
from tenant_apps.payments.models import Method, Payment, PaymentState
from tenant_apps.products.models import Product
from tenant_apps.teams.models import Team
from tenant_apps.usage.models import QuotaBypass
from tests.imports.books import (
    ACCOUNTS,
    DEALS,
    PRODUCTS,
    TEAMS,
    VERIFIER,
    book,
    checksums,
    codes,
    make_verifier,
    reported,
    run_import,
)
from tests.people import make_person


@pytest.fixture
def verifier(tenant: Any) -> User:
    return make_verifier()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return book(tmp_path / "book")


def deal(reference: str) -> Deal:
    found: Deal = Deal.objects.get(external_reference=reference)
    return found


def changed(reference: str, **cells: str) -> list[tuple[str, ...]]:
    """The book's deals, one of them with other cells."""
    columns = ("id", "agent", "product", "account", "stage", "engaged", "closed", "value")
    return [
        tuple({**dict(zip(columns, row, strict=True)), **cells}.values())
        if row[0] == reference
        else row
        for row in DEALS
    ]


class TestWhatStandsAfterwards:
    def test_people_and_teams(self, verifier: User, folder: Path) -> None:
        run_import(folder)

        teams = {team.name: team for team in Team.objects.select_related("parent", "lead")}
        assert set(teams) == {
            "North",
            "South",
            "Mina Manager (North)",
            "Noor Nasser (South)",
        }
        mina = teams["Mina Manager (North)"]
        assert mina.parent == teams["North"]
        assert mina.lead is not None
        assert mina.lead.full_name == "Mina Manager"
        roles = {
            (row.user.full_name, row.role.code)
            for row in Membership.objects.active()
            .filter(unit=mina.unit)
            .select_related("user", "role")
        }
        assert roles == {
            ("Mina Manager", "team_lead"),
            ("Amara Okoro", "salesperson"),
            ("Bela Bartos", "salesperson"),
        }
        assert not User.objects.get(full_name="Amara Okoro").has_usable_password()

    def test_clients_and_products(self, verifier: User, folder: Path) -> None:
        run_import(folder)

        clients = {row.name: row for row in Party.objects.filter(external_source="sales_book")}
        assert set(clients) == {"Mother Ltd", "Daughter Ltd", "Lone Ltd"}
        assert clients["Daughter Ltd"].parent_id == clients["Mother Ltd"].id
        pump = Product.objects.get(name="Mega Pump")
        assert (pump.code, str(pump.list_price)) == ("MEGA-PUMP", "KES 1096.50")

    def test_deals_in_their_stages(self, verifier: User, folder: Path) -> None:
        run = run_import(folder)

        assert {row.external_reference: row.stage for row in Deal.objects.all()} == {
            row[0]: row[4].lower() for row in DEALS
        }
        won = deal("W2")
        assert (str(won.engaged_on), str(won.closed_on)) == ("2025-02-05", "2025-05-02")
        assert won.value.minor == 100_050
        assert won.owner.full_name == "Amara Okoro"
        assert deal("E2").client_id is None
        assert run.counts == {"recorded": 7, "unchanged": 0, "mended": 3, "refused": 0}
        assert run.state == ImportState.FINISHED

    def test_a_won_deal_is_invoiced_paid_and_earns_commission(
        self, verifier: User, folder: Path
    ) -> None:
        run_import(folder)

        invoice = Invoice.objects.get(deal=deal("W2"))
        payment = Payment.objects.get(deal=deal("W2"))
        commission = Commission.objects.get(deal=deal("W2"))
        assert str(invoice.issued_on) == str(payment.effective_on) == "2025-05-02"
        assert (invoice.total_minor, invoice.outstanding_minor) == (100_050, 0)
        assert (payment.state, payment.method) == (PaymentState.VERIFIED, Method.BANK_TRANSFER)
        assert payment.decided_by_id == verifier.pk
        assert payment.created_by_id == deal("W2").owner_id
        assert commission.amount_minor == 5002
        assert Invoice.objects.count() == 3
        numbers = Invoice.objects.order_by("issued_on").values_list("sequence", flat=True)
        assert list(numbers) == [1, 2, 3]

    def test_it_is_quiet(self, verifier: User, folder: Path) -> None:
        OutboxMessage.objects.all().delete()
        mails = Mail.objects.count()

        run_import(folder)

        assert OutboxMessage.objects.exists()
        assert not OutboxMessage.objects.filter(relayed_at=None).exists()
        assert Mail.objects.count() == mails
        assert mail.outbox == []
        assert not Document.objects.exists()

    def test_the_act_is_audited(self, verifier: User, folder: Path) -> None:
        run = run_import(folder)

        entry = AuditEntry.objects.get(event_name="imports.sales_book_imported")
        assert entry.subject_id == run.pk
        assert entry.payload["recorded"] == 7
        assert AuditEntry.objects.filter(event_name="deals.deal_recorded").count() == len(DEALS)

    def test_quotas_are_passed_and_it_is_recorded(
        self, tenant: Any, verifier: User, folder: Path
    ) -> None:
        tenant.entitlements = {"quotas": {"users": 2, "deals_per_month": 3}, "features": []}

        run_import(folder)

        bypasses = QuotaBypass.objects.all()
        assert {(row.name, row.amount) for row in bypasses} == {
            ("users", 5),
            ("deals_per_month", 7),
        }
        assert all("sales book" in row.reason for row in bypasses)


class TestWhatIsMendedAndRefused:
    def test_mended_rows_are_listed(self, verifier: User, folder: Path) -> None:
        run_import(folder)

        assert codes(folder) == {
            ("E1", "product_respelt"),
            ("E2", "client_left_open"),
            ("P1", "client_left_open"),
        }
        (row,) = [row for row in reported(folder) if row["reference"] == "E1"]
        assert row["file"] == "sales_pipeline.csv"
        assert row["line"] == "6"
        assert row["outcome"] == "mended"
        assert row["detail"] == "product 'SuperDrill' is taken for 'Super Drill'."

    @pytest.mark.parametrize(
        ("cells", "code"),
        [
            ({"agent": "Nobody Known"}, "agent_unknown"),
            ({"product": "Perpetual Motion"}, "product_unknown"),
            ({"account": ""}, "client_missing"),
            ({"value": ""}, "value_missing"),
            ({"value": "0"}, "value_missing"),
            ({"value": "1.005"}, "amount_too_fine"),
            ({"value": "99999999999999999"}, "amount_too_large"),
            ({"value": "99999999999999"}, "deal_value_too_large"),
            ({"closed": ""}, "close_date_missing"),
            ({"closed": "2025-01-04"}, "closed_before_engaged"),
            ({"closed": "2999-01-01"}, "date_in_future"),
            ({"engaged": "1066-10-14", "closed": "1066-10-15"}, "deal_stage_date_too_early"),
            ({"stage": "Engaging", "engaged": ""}, "engage_date_missing"),
        ],
    )
    def test_a_refused_row_is_listed_and_the_others_go_on(
        self, verifier: User, tmp_path: Path, cells: dict[str, str], code: str
    ) -> None:
        folder = book(tmp_path / "book", deals=changed("W2", **cells))

        run = run_import(folder)

        assert ("W2", code) in codes(folder)
        assert run.counts["refused"] == 1
        assert set(Deal.objects.values_list("external_reference", flat=True)) == {
            row[0] for row in DEALS
        } - {"W2"}
        assert Payment.objects.verified().count() == 2

    def test_the_first_of_equal_references_counts(self, verifier: User, tmp_path: Path) -> None:
        folder = book(tmp_path / "book", deals=[*DEALS, *changed("W1", value="7")[:1]])

        run_import(folder)

        assert ("W1", "opportunity_repeated") in codes(folder)
        assert deal("W1").value.minor == 50_000

    def test_a_name_in_another_spelling_is_the_same_agent(
        self, verifier: User, tmp_path: Path
    ) -> None:
        folder = book(
            tmp_path / "book",
            teams=[
                *TEAMS,
                ("AMARA OKORO", "Noor Nasser", "South"),
                ("Dee", "mina manager", "North"),
            ],
            deals=changed("W1", agent="amara okoro"),
        )

        run_import(folder)

        assert {
            ("AMARA OKORO", "agent_repeated"),
            ("Dee", "manager_respelt"),
            ("W1", "sales_agent_respelt"),
        } <= codes(folder)
        assert User.objects.filter(full_name__iexact="amara okoro").count() == 1
        assert Team.objects.filter(name__istartswith="mina manager").count() == 1

    def test_accounts_in_a_circle_and_unknown_parents_stand_alone(
        self, verifier: User, tmp_path: Path
    ) -> None:
        folder = book(
            tmp_path / "book",
            accounts=[
                *ACCOUNTS,
                ("Hen", "", "", "Egg"),
                ("Egg", "", "", "Hen"),
                ("Orphan", "", "", "Nowhere"),
                ("Lone Ltd", "again", "", ""),
                ("", "nameless", "", ""),
            ],
        )

        run_import(folder)

        assert {
            ("Hen", "parent_left_out"),
            ("Egg", "parent_left_out"),
            ("Orphan", "parent_left_out"),
            ("Lone Ltd", "account_repeated"),
            ("", "name_missing"),
        } <= codes(folder)
        assert Party.objects.filter(name__in=("Hen", "Egg", "Orphan"), parent=None).count() == 3

    def test_an_account_that_only_a_deal_names_becomes_a_client(
        self, verifier: User, tmp_path: Path
    ) -> None:
        folder = book(tmp_path / "book", deals=changed("W1", account="Surprise Ltd"))

        run_import(folder)

        assert ("W1", "client_made") in codes(folder)
        assert deal("W1").client is not None
        assert Party.objects.filter(name="Surprise Ltd").count() == 1

    def test_two_spellings_of_such_an_account_are_one_client(
        self, verifier: User, tmp_path: Path
    ) -> None:
        rows = changed("W1", account="Surprise Ltd")
        rows = [(*row[:3], "SURPRISE LTD.", *row[4:]) if row[0] == "W2" else row for row in rows]

        run_import(book(tmp_path / "book", deals=rows))

        assert deal("W1").client_id == deal("W2").client_id
        assert {("W1", "client_made"), ("W2", "account_respelt")} <= codes(tmp_path / "book")

    def test_a_refused_row_leaves_no_client_behind(self, verifier: User, tmp_path: Path) -> None:
        folder = book(
            tmp_path / "book", deals=changed("W1", account="Surprise Ltd", agent="Nobody")
        )

        run_import(folder)

        assert not Party.objects.filter(name="Surprise Ltd").exists()

    def test_products_with_equal_codes_or_bad_prices(self, verifier: User, tmp_path: Path) -> None:
        folder = book(
            tmp_path / "book",
            products=[
                *PRODUCTS,
                ("mega pump", "Pump", "1"),
                ("Priceless", "", ""),
                ("Too fine", "", "1.001"),
                ("Mega Pump", "", "3"),
                ("Cheap", "", "0"),
            ],
        )

        run_import(folder)

        assert {
            ("Priceless", "amount_malformed"),
            ("Too fine", "amount_too_fine"),
            ("Mega Pump", "product_repeated"),
        } <= codes(folder)
        made = Product.objects.filter(name__in=("Mega Pump", "mega pump", "Cheap"))
        assert made.values("code").distinct().count() == 3

    def test_a_spreadsheet_takes_no_cell_of_the_report_for_a_formula(
        self, verifier: User, tmp_path: Path
    ) -> None:
        evil = '=HYPERLINK("http://evil.example";"x")'
        rows = [(f"{sign}{evil}", "Nobody", *DEALS[0][2:]) for sign in ("", "+", "-", "@")]
        folder = book(tmp_path / "book", deals=[*DEALS, *rows])

        run_import(folder)

        cells = [cell for row in reported(folder) for cell in row.values()]
        assert sum(evil in cell for cell in cells) == 4
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)

    def test_each_finding_is_kept(self, verifier: User, folder: Path) -> None:
        run = run_import(folder)

        assert ImportFinding.objects.filter(run=run).count() == len(reported(folder)) == 3


class TestASecondRun:
    def test_changes_nothing(self, tenant: Any, verifier: User, folder: Path) -> None:
        run_import(folder)
        before = checksums(tenant.schema_name)

        run = run_import(folder)

        after = checksums(tenant.schema_name)
        told = {"audit_entry", "outbox_message"}
        assert {name for name in before if before[name] != after[name]} <= told
        assert run.counts == {"recorded": 0, "unchanged": 7, "mended": 0, "refused": 0}
        new = AuditEntry.objects.filter(recorded_at__gte=run.created_at)
        assert [entry.event_name for entry in new] == ["imports.sales_book_imported"]

    def test_wins_a_deal_that_was_open(self, verifier: User, folder: Path) -> None:
        run_import(folder)
        won = {"stage": "Won", "closed": "2025-06-01", "value": "77"}
        book(folder, deals=changed("E1", **won))

        run = run_import(folder)

        assert run.counts["recorded"] == 1
        assert run.counts["unchanged"] == 6
        assert deal("E1").stage == Stage.WON
        assert Payment.objects.get(deal=deal("E1")).state == PaymentState.VERIFIED
        assert Invoice.objects.get(deal=deal("E1")).outstanding_minor == 0

    def test_takes_a_deal_through_the_stages_between(self, verifier: User, folder: Path) -> None:
        run_import(folder)
        lost = {"stage": "Lost", "engaged": "2025-05-01", "closed": "2025-06-01", "value": "0"}
        book(folder, deals=changed("P1", **lost))

        run_import(folder)

        stages = deal("P1").stage_changes.order_by("created_at", "id")
        assert [row.to_stage for row in stages] == ["prospecting", "engaging", "lost"]

    @pytest.mark.parametrize(
        ("reference", "cells"),
        [
            ("P1", {"stage": "Engaging", "engaged": "2025-04-03"}),
            ("E2", {"stage": "Lost", "closed": "2025-05-03"}),
        ],
    )
    def test_takes_what_a_later_stage_tells_besides(
        self, verifier: User, folder: Path, reference: str, cells: dict[str, str]
    ) -> None:
        run_import(folder)
        told = {"account": "Lone Ltd", "product": "Super Drill", "value": "75.50"}
        book(folder, deals=changed(reference, **cells, **told))

        run_import(folder)

        moved = deal(reference)
        assert moved.stage == cells["stage"].lower()
        assert moved.client is not None
        assert moved.client.name == "Lone Ltd"
        assert moved.product is not None
        assert moved.product.name == "Super Drill"
        assert moved.value_minor == 75_50
        assert run_import(folder).counts["refused"] == 0

    def test_invoices_the_product_that_was_won(self, verifier: User, folder: Path) -> None:
        run_import(folder)
        won = {"stage": "Won", "closed": "2025-06-01", "value": "400", "product": "Mega Pump"}
        book(folder, deals=changed("E1", **won))

        run_import(folder)

        line = Invoice.objects.get(deal=deal("E1")).lines.get()
        assert line.description == "Mega Pump"

    @pytest.mark.parametrize(
        ("reference", "cells", "code"),
        [
            ("W1", {"stage": "Lost"}, "stage_differs"),
            ("W1", {"value": "501"}, "value_differs"),
            ("W1", {"account": "Lone Ltd"}, "account_differs"),
            ("E1", {"stage": "Prospecting"}, "stage_differs"),
        ],
    )
    def test_never_undoes_what_stands(
        self,
        tenant: Any,
        verifier: User,
        folder: Path,
        reference: str,
        cells: dict[str, str],
        code: str,
    ) -> None:
        run_import(folder)
        before = checksums(tenant.schema_name)
        book(folder, deals=changed(reference, **cells))

        run_import(folder)

        assert (reference, code) in codes(folder)
        after = checksums(tenant.schema_name)
        assert before["deals_deal"] == after["deals_deal"]
        assert before["ledger_transfer"] == after["ledger_transfer"]

    def test_does_not_move_people_back(self, verifier: User, folder: Path) -> None:
        from tenant_apps.teams.services import add_member, remove_member

        run_import(folder)
        amara = User.objects.get(full_name="Amara Okoro")
        actor = system_actor("test")
        old, new = (
            Team.objects.get(name=name) for name in ("Mina Manager (North)", "Noor Nasser (South)")
        )
        remove_member(actor=actor, team_id=old.pk, user_id=amara.pk)
        add_member(actor=actor, team_id=new.pk, user_id=amara.pk)

        run_import(folder)

        units = Membership.objects.active().filter(user=amara).values_list("unit_id", flat=True)
        assert list(units) == [new.unit_id]


class TestTheVerifier:
    def test_must_be_known(self, tenant: Any, folder: Path) -> None:
        with pytest.raises(VerifierUnknown):
            run_import(folder)
        assert not ImportRun.objects.exists()

    def test_must_be_active(self, verifier: User, folder: Path) -> None:
        User.objects.filter(pk=verifier.pk).update(is_active=False)
        with pytest.raises(VerifierUnknown):
            run_import(folder)

    def test_must_have_the_right(self, tenant: Any, folder: Path) -> None:
        make_person("Sally Seller", role="salesperson")
        with pytest.raises(Forbidden, match=r"payments\.verify_payment"):
            run_import(folder, verifier_email="sally.seller@acme.example")
        assert not ImportRun.objects.exists()
        assert not Deal.objects.exists()

    def test_does_not_verify_the_own_deals(self, tenant: Any, folder: Path) -> None:
        amara = make_person("Amara Okoro", role="verifier")
        User.objects.filter(pk=amara.pk).update(email="amara.okoro@acme.invalid")

        run = run_import(folder, verifier_email="amara.okoro@acme.invalid")

        assert ("W1", "payment_left_pending") in codes(folder)
        states = dict(Payment.objects.values_list("deal__external_reference", "state"))
        assert states == {"W1": "pending", "W2": "pending", "W3": "verified"}
        assert run.counts["refused"] == 0


class TestWhoAndWhat:
    def test_needs_the_right_to_import(self, verifier: User, folder: Path) -> None:
        nobody = replace(system_actor("test"), checker=AllowsNothing())
        with pytest.raises(Forbidden, match=r"imports\.add_importrun"):
            run_import(folder, actor=nobody)

    def test_writes_nothing_of_a_book_that_lacks_a_file(
        self, tenant: Any, verifier: User, folder: Path
    ) -> None:
        before = checksums(tenant.schema_name, without=())
        (folder / "sales_pipeline.csv").unlink()

        with pytest.raises(SourceUnreadable):
            run_import(folder)

        assert checksums(tenant.schema_name, without=()) == before

    def test_an_address_is_found_in_any_case(self, verifier: User, folder: Path) -> None:
        assert run_import(folder, verifier_email=VERIFIER.upper()).counts["recorded"] == 7
