"""What must be true after a round, whatever struck: read from the books, the rows and the answers.

Each check adds a sentence for what does not hold. Nothing is repaired here.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from shared_apps.access.actors import system_actor
from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail, MailState
from shared_apps.idempotency.models import IdempotencyKey
from shared_apps.kernel.money import Money
from shared_apps.outbox.consumers import consumers_of
from shared_apps.outbox.models import OutboxMessage
from shared_apps.seals import chains
from shared_apps.seals.services import seal_chains
from shared_apps.seals.verification import verify_chain
from tenant_apps.dashboards.recounting import differences as rollup_differences
from tenant_apps.deals.models import Deal
from tenant_apps.invariants.models import InvariantAlarm, InvariantCheck
from tenant_apps.invariants.services import watch
from tenant_apps.invoices.models import Invoice
from tenant_apps.ledger.models import CreditLine, CreditLineEntry, Hold, StatementLine, Transfer
from tenant_apps.ledger.selectors import funds_of
from tenant_apps.ledger.verification import verify
from tenant_apps.limits.models import CreditLimit
from tenant_apps.limits.verification import differences as limit_differences
from tenant_apps.payments.models import Payment
from tenant_apps.wallets.models import ChargeSale, DepositRequest, SaleState, Wallet, WalletTransfer
from tenant_apps.wallets.providers.simulator import Simulator
from tenant_apps.wallets.statements import history_of, signed
from tests.faults.callers import Callers, Record
from tests.faults.desks import hold_id
from tests.faults.plans import Plan
from tests.faults.points import Sky
from tests.faults.stage import DESK, DESK_DEPOSIT

# Which rows an act makes: the model, and what tells the rounds' own rows from the stage's.
MADE: dict[str, Any] = {
    "deal": lambda: Deal.objects.all(),
    "payment": lambda: Payment.objects.all(),
    "deposit": lambda: DepositRequest.objects.filter(created_by_id__isnull=False),
    "transfer": lambda: WalletTransfer.objects.all(),
    "sale": lambda: ChargeSale.objects.all(),
}
# Acts that give an event of their own about an earlier act's row, once.
DECIDED = {
    "verification": "payments.payment_verified",
    "rejection": "payments.payment_rejected",
    "approval": "wallets.deposit_approved",
    "denial": "wallets.deposit_denied",
}
MAILS = {
    "payments.payment_verified": "payment_verified",
    "payments.payment_rejected": "payment_rejected",
    "wallets.deposit_approved": "deposit_approved",
    "wallets.deposit_denied": "deposit_denied",
}
# A sale's answer says how it stands, which changes until it is settled.
_MOVES = {"state", "reason", "provider_reference", "sent_at", "settled_at", "updated_at"}


class Truths:
    """Reads everything once all is quiet; `wrong` is what does not hold."""

    def __init__(self, plan: Plan, sky: Sky, callers: Callers, *, before: dict[str, set[UUID]]):
        self.plan, self.sky, self.callers, self.before = plan, sky, callers, before
        self.wrong: list[str] = list(callers.wrong)
        self.by_kind: dict[str, list[Record]] = defaultdict(list)
        for record in callers.records.values():
            self.by_kind[record.step.kind].append(record)

    def read(self, provider: Simulator) -> list[str]:
        self._one_answer_for_each_key()
        self._every_effect_once()
        self._news()
        self._books()
        self._sales(provider)
        self._wallets()
        self._desks()
        self._seals()
        return self.wrong

    def expect(self, holds: bool, sentence: str) -> None:
        if not holds:
            self.wrong.append(sentence)

    def expect_none(self, found: Iterable[Any], sentence: str) -> None:
        for one in list(found)[:10]:
            self.wrong.append(f"{sentence}: {one}")

    def _done(self, *kinds: str) -> list[Record]:
        return [record for kind in kinds for record in self.by_kind[kind] if record.done]

    def _told(self, kind: str) -> list[UUID]:
        """The ids that successes of this kind were answered with."""
        return [UUID(str(r.done.body["id"])) for r in self._done(kind) if r.done]

    def _one_answer_for_each_key(self) -> None:
        """The first success is the answer for ever, and told as a repetition from then on."""
        for key, record in self.callers.records.items():
            successes = [answer for answer in record.answers if answer.is_success]
            told = {
                json.dumps(
                    {k: v for k, v in answer.body.items() if not (_is_sale(record) and k in _MOVES)}
                )
                for answer in successes
            }
            self.expect(len(told) <= 1, f"{key} was answered in {len(told)} ways: {told}")
            if successes:
                last = record.answers[-1]
                self.expect(last.is_success, f"{key} was done and then refused: {last.body}")
                fresh = sum(not answer.replayed for answer in successes)
                self.expect(fresh <= 1, f"{key} was done {fresh} times")
        keys = Counter(IdempotencyKey.objects.values_list("key", flat=True))
        done = {key for key, record in self.callers.records.items() if record.done}
        self.expect_none(keys.keys() - done, "a key is kept that nobody was answered under")
        self.expect_none(done - keys.keys(), "a key was forgotten")

    def _every_effect_once(self) -> None:
        """As many rows as successes, of the very ids that were answered: none lost, none twice."""
        for kind, rows in MADE.items():
            told = set(self._told(kind))
            kept = set(rows().values_list("pk", flat=True)) - self.before[kind]
            self.expect(len(told) == len(self._done(kind)), f"two keys share one {kind}")
            self.expect_none(told - kept, f"a {kind} was answered and is lost")
            self.expect_none(kept - told, f"a {kind} stands that nobody was answered")
        for kind, event in DECIDED.items():
            self._told_once(event, self._done(kind))
        won = self._done("win")
        invoices = Counter(Invoice.objects.values_list("deal_id", flat=True))
        self.expect(
            sum(invoices.values()) == len(won) and set(invoices.values()) <= {1},
            f"{len(won)} deals were won, and {sum(invoices.values())} invoices issued",
        )
        numbers = sorted(Invoice.objects.values_list("sequence", flat=True))
        self.expect(numbers == list(range(1, len(numbers) + 1)), f"numbers have gaps: {numbers}")
        journals = [
            UUID(str(r.done.body["id"])) for r in self._done("journal", "reversal") if r.done
        ]
        posted = Counter(Transfer.objects.filter(journal_id__in=journals).values_list("journal_id"))
        self.expect(
            len(posted) == len(journals) and set(posted.values()) <= {1},
            f"{len(journals)} journals were answered, {dict(posted)} stand",
        )
        by_hand = Transfer.objects.filter(
            Q(debit_account__code="3100") | Q(credit_account__code="3100")
        )
        self.expect(by_hand.count() == len(journals), "a journal stands that nobody was answered")
        limits = CreditLimit.objects.exclude(pk__in=self.before["limit"])
        self.expect(
            set(limits.values_list("pk", flat=True)) == set(self._told("limit")),
            "limits are not those that were answered",
        )

    def _told_once(self, event: str, records: list[Record]) -> None:
        entries = Counter(
            AuditEntry.objects.filter(event_name=event)
            .exclude(subject_id__in=self.before["subjects"])
            .values_list("subject_id", flat=True)
        )
        self.expect(
            sum(entries.values()) == len(records) and set(entries.values()) <= {1},
            f"{event} was done {len(records)} times and recorded {sum(entries.values())} times",
        )

    def _news(self) -> None:
        self.expect_none(
            OutboxMessage.objects.filter(relayed_at=None).values_list("event_name", "last_error"),
            "news is left over",
        )
        self.expect_none(
            Mail.objects.exclude(state=MailState.SENT).values_list("template", "state", "error"),
            "a mail did not leave",
        )
        for message in OutboxMessage.objects.filter(quiet=False).prefetch_related("receipts"):
            heard = sorted(receipt.consumer for receipt in message.receipts.all())
            wanted = sorted(consumer.name for consumer in consumers_of(message.event_name))
            self.expect(heard == wanted, f"{message} was heard by {heard}, not by {wanted}")
        for event, template in MAILS.items():
            told = AuditEntry.objects.filter(event_name=event).count()
            mails = Mail.objects.filter(template=template).count()
            self.expect(told == mails, f"{told} times {event}, {mails} mails")

    def _books(self) -> None:
        self.expect_none(verify().findings, "the books do not hold")
        red = watch(actor=system_actor("storm"), sweep=True)
        self.expect_none(red, "the watch is red")
        self.expect_none(
            InvariantAlarm.objects.values_list("invariant", "findings"), "an alarm was raised"
        )
        self.expect_none(
            InvariantCheck.objects.filter(checked_at=None).values_list("name", flat=True),
            "a check never ran",
        )
        self.expect_none(limit_differences(), "credit lines are not what is owed")
        self.expect_none(rollup_differences(), "the figures are not what the facts give")
        above = CreditLine.objects.filter(
            used_minor__gt=F("limit_minor") - F("held_minor"), grandfathered_minor=0
        )
        self.expect_none(above, "a line is above its limit")

    def _sales(self, provider: Simulator) -> None:
        """What was charged was paid for, once; what was not charged was given back."""
        sales = ChargeSale.objects.all()
        self.expect_none(sales.unsettled().values_list("reference", "state"), "a sale has no end")
        sold = {
            str(sale.charge_reference): sale.amount.to_string()
            for sale in sales
            if sale.state == SaleState.SOLD
        }
        charged = {
            charge["reference"]: charge["amount"]
            for charge in provider.charges()
            if charge["outcome"] == "delivered"
        }
        self.expect(sold == charged, f"sold {len(sold)}, charged {len(charged)}")
        taken = StatementLine.objects.filter(rule="wallet.charged", account__code="2400")
        self.expect(taken.count() == len(sold), f"{taken.count()} sales were paid of {len(sold)}")

    def _wallets(self) -> None:
        """Every balance is the sum of its history, and that of the answers."""
        for wallet in Wallet.objects.with_funds().select_related("seller"):
            lines = list(history_of(wallet))
            name = wallet.seller.reference
            self.expect(wallet.held_minor == 0, f"{name} has {wallet.held_minor} held")
            self.expect(wallet.posted_minor >= 0, f"{name} is below zero")
            self.expect(all(line.balance_minor >= 0 for line in lines), f"{name} was below zero")
            self.expect(
                sum(signed(line).minor for line in lines) == wallet.posted_minor,
                f"the rows of {name} do not sum to its balance",
            )
            self.expect(
                self._model_of(wallet) == wallet.posted_minor,
                f"{name} has {wallet.posted_minor}, the answers give {self._model_of(wallet)}",
            )
            for day in {sale.sold_on for sale in wallet.sales.all()}:
                sold = sum(
                    sale.amount_minor
                    for sale in wallet.sales.filter(state=SaleState.SOLD, sold_on=day)
                )
                limit = wallet.daily_limit_minor
                self.expect(limit is None or sold <= limit, f"{name} sold {sold} on {day}")

    def _model_of(self, wallet: Wallet) -> int:
        """What the wallet has, by decided requests alone."""
        deposits = DepositRequest.objects.filter(wallet=wallet, state="approved")
        given = WalletTransfer.objects.filter(from_wallet=wallet)
        taken = WalletTransfer.objects.filter(to_wallet=wallet)
        sold = ChargeSale.objects.filter(wallet=wallet, state=SaleState.SOLD)
        plus = [*deposits, *taken]
        minus = [*given, *sold]
        return sum(row.amount_minor for row in plus) - sum(row.amount_minor for row in minus)

    def _desks(self) -> None:
        """What the desks were told, against what stands; told again, it was the same."""
        told: dict[UUID, list[str]] = defaultdict(list)
        for number in range(len(self.plan.desks)):
            for line in (self.sky.folder / f"desk-{number}").read_text().splitlines():
                entry = json.loads(line)
                told[UUID(entry["id"])].append(entry["answer"])
        done = {}
        for act_id, answers in told.items():
            good = {answer for answer in answers if answer.startswith("done")}
            self.expect(len(good) <= 1, f"desk act {act_id} was done in {len(good)} ways")
            self.expect(not good or answers[-1] in good, f"desk act {act_id}: {answers}")
            if good:
                done[act_id] = good.pop()
        acts = [act for desk in self.plan.desks for act in desk]
        self.expect(len(told) == len(acts), f"{len(told)} of {len(acts)} desk acts were answered")
        ended = {act.of: act for act in acts if act.id in done and act.kind in _ENDS}
        held = captured = used = 0
        for act in acts:
            if act.id not in done:
                continue
            if act.kind == "reserve":
                held += 0 if act.id in ended else act.cents
                state = _ENDS[ended[act.id].kind] if act.id in ended else "open"
                found = Hold.objects.get(pk=hold_id(act.id)).state
                self.expect(found == state, f"hold {act.id} is {found}, not {state}")
            elif act.kind == "capture":
                captured += act.cents
            elif act.kind in ("use", "give back"):
                used += act.cents if act.kind == "use" else -act.cents
        funds = funds_of(account_code="2000", subledger_id=DESK, currency="KES")
        self.expect(funds.held.minor == held, f"{funds.held} is held, the desks hold {held}")
        left = DESK_CENTS - captured
        self.expect(funds.posted.minor == left, f"{funds.posted} is left, the desks left {left}")
        credit = CreditLine.objects.get(subject_id=DESK)
        self.expect(
            credit.used_minor == used, f"{credit.used_minor} is used, the desks used {used}"
        )
        passed = CreditLineEntry.objects.filter(line=credit, used_minor__gt=credit.limit_minor)
        self.expect(not passed.exists(), "the desks' limit was passed")

    def _seals(self) -> None:
        seal_chains()
        for chain in chains.registered():
            read = verify_chain(chain)
            self.expect_none(read.findings, f"the chain {chain.name} is broken")
            self.expect(read.waiting == 0, f"{read.waiting} rows of {chain.name} wait for a seal")


DESK_CENTS = Money.parse(DESK_DEPOSIT, "KES").minor
_ENDS = {"capture": "captured", "release": "released"}


def _is_sale(record: Record) -> bool:
    return record.step.kind == "sale"


def standing() -> dict[str, set[UUID]]:
    """What stands before a round: it is nobody's effect."""
    found = {kind: set(rows().values_list("pk", flat=True)) for kind, rows in MADE.items()}
    found["limit"] = set(CreditLimit.objects.values_list("pk", flat=True))
    found["subjects"] = set(AuditEntry.objects.values_list("subject_id", flat=True))
    return found
