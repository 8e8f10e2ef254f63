"""Do the main job once, through HTTP, as each role: `./scripts/run --check` calls it.

A salesperson wins a deal and records its payment, a verifier verifies it, and everybody then sees
what should follow: invoice, allocation, commission, mail, live news, dashboards, balanced books.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from scripts.state import ScriptError, settings_given, state_folder
from scripts.talking import Caller, LiveSocket, Unexpected, receipt_image, sign_in

ROLES = ("admin", "supervisor", "team_lead", "verifier", "salesperson")
SECONDS_FOR_NEWS = 20.0
SECONDS_FOR_MAIL = 30.0


@dataclass
class Story:
    """The people, the things they make, and what was seen so far."""

    web_port: int
    sockets_port: int
    host: str
    logins: list[dict[str, Any]]
    people: dict[str, Caller] = field(default_factory=dict)
    deal: dict[str, Any] = field(default_factory=dict)
    invoice: dict[str, Any] = field(default_factory=dict)
    payment: dict[str, Any] = field(default_factory=dict)
    socket: LiveSocket | None = None

    def person(self, role: str) -> Caller:
        """Answer the person with the role."""
        return self.people[role]


def first(page: dict[str, Any], what: str) -> dict[str, Any]:
    """Answer the first row of a list.

    :raises Unexpected: it is empty.
    """
    if not page["results"]:
        raise Unexpected(f"there is no {what}")
    return dict(page["results"][0])


def insist(holds: bool, otherwise: str) -> None:
    """Insist on something that was seen.

    :raises Unexpected: it does not hold.
    """
    if not holds:
        raise Unexpected(otherwise)


def stranger(story: Story) -> str:
    """Who has not signed in sees nothing, and an unknown host has nothing to show."""
    nobody = Caller(story.host, story.web_port)
    nobody.expect(401, "GET", "/api/v1/deals/")
    Caller("nobody-here.localhost", story.web_port).expect(404, "GET", "/api/v1/deals/")
    nobody.expect(200, "GET", "/api/schema/")
    return "401 without signing in, 404 on an unknown host, API documents open"


def everybody(story: Story) -> str:
    """Each role signs in, with the second factor where there is one."""
    for login in story.logins:
        role = str(login.get("role", ""))
        if role in ROLES and role not in story.people:
            caller = sign_in(host=story.host, port=story.web_port, login=login)
            story.people[role] = caller
    missing = set(ROLES) - set(story.people)
    insist(not missing, f"the demo has no login for {', '.join(sorted(missing))}")
    return ", ".join(story.people)


def win_deal(story: Story) -> str:
    """A client and a deal come about; winning it issues its invoice."""
    seller = story.person("salesperson")
    known = first(seller.get("/api/v1/deals/"), "deal of the salesperson")
    money = {"amount": same_decimals("1160", like=known), "currency": known["value"]["currency"]}
    client = seller.post("/api/v1/clients/", {"name": f"Check {time.time_ns()}"})
    story.deal = seller.post("/api/v1/deals/", {"client": client["id"], "value": money})
    path = f"/api/v1/deals/{story.deal['id']}/stage-changes/"
    seller.post(path, {"to_stage": "won"}, money=True)
    story.deal = seller.get(f"/api/v1/deals/{story.deal['id']}/")
    found = seller.get("/api/v1/invoices/", deal=story.deal["id"])
    story.invoice = first(found, "invoice of the deal that was won")
    total = story.invoice["total"]
    return f"{story.deal['reference']} won, invoice {story.invoice['number']} of {shown(total)}"


def same_decimals(whole: str, *, like: dict[str, Any]) -> str:
    """Answer the whole amount with as many decimals as the currency of another deal has."""
    _, point, decimals = str(like["value"]["amount"]).partition(".")
    return whole + point + "0" * len(decimals)


def shown(money: dict[str, str]) -> str:
    """Answer money for people."""
    return f"{money['amount']} {money['currency']}"


def record_payment(story: Story) -> str:
    """The payment with its proof; said twice by mistake, it is there once."""
    seller = story.person("salesperson")
    story.socket = LiveSocket(seller, port=story.sockets_port)
    given = {
        "deal": story.deal["id"],
        "method": "bank_transfer",
        "amount": story.invoice["total"],
        "paid_on": story.deal["closed_on"],
        "external_reference": "CHECK",
    }
    key = f"check-{time.time_ns()}"
    path = "/api/v1/payments/"
    story.payment = seller.expect(201, "POST", path, given, key=key).data
    again = seller.expect(201, "POST", path, given, key=key)
    insist(again.headers.get("Idempotency-Replayed") == "true", "the repeated payment was new")
    proof = ("receipt.png", receipt_image(), "image/png")
    path = f"/api/v1/payments/{story.payment['id']}/proof/"
    answer = seller.ask("POST", path, upload=proof)
    insist(answer.status in (200, 201), f"the proof was answered {answer.status}")
    return f"{story.payment['reference']} of {shown(story.payment['amount'])} with its proof"


def refuse_seller(story: Story) -> str:
    """Who records does not verify."""
    path = f"/api/v1/payments/{story.payment['id']}/verification/"
    story.person("salesperson").expect(403, "POST", path, {}, key=f"check-{time.time_ns()}")
    return "403 for the salesperson's own verification"


def verify_payment(story: Story) -> str:
    """The verifier finds it in the queue and verifies it."""
    verifier = story.person("verifier")
    queue = verifier.get("/api/v1/verification-queue/", deal=story.deal["id"])
    waiting = first(queue, "payment in the verification queue")
    insist(waiting["id"] == story.payment["id"], "another payment stands in the queue")
    path = f"/api/v1/payments/{story.payment['id']}/verification/"
    answer = verifier.ask("POST", path, {"remarks": "Seen."}, key=f"check-{time.time_ns()}")
    insist(answer.status in (200, 201), f"verification: {answer.status} {answer.content[:400]!r}")
    return f"{story.payment['reference']} is {answer.data['state']}"


def follow(story: Story) -> str:
    """Allocation, invoice and commission follow by themselves."""
    seller = story.person("salesperson")
    payment = seller.get(f"/api/v1/payments/{story.payment['id']}/")
    insist(payment["state"] == "verified", f"the payment is {payment['state']}")
    insist(payment["allocated"] == payment["amount"], "the payment is not wholly allocated")
    invoice = seller.get(f"/api/v1/invoices/{story.invoice['id']}/")
    insist(Decimal(invoice["outstanding"]["amount"]) == 0, "the invoice is still outstanding")
    found = seller.get("/api/v1/commissions/", payment=story.payment["id"])
    commission = first(found, "commission on the payment")
    insist(commission["amount"] is not None, f"the commission waits: {commission['missing']}")
    why = seller.get(f"/api/v1/commissions/{commission['id']}/explanation/")
    insist(why["is_same"], "the commission is not what its explanation gives")
    return f"invoice paid, commission {shown(commission['amount'])}, explained"


def news(story: Story) -> str:
    """The salesperson's open socket hears of it."""
    assert story.socket is not None
    try:
        story.socket.await_message(
            seconds=SECONDS_FOR_NEWS,
            type="payment_changed",
            id=story.payment["id"],
            state="verified",
        )
    finally:
        story.socket.close()
    return "payment changed, on the live socket"


def mail(story: Story) -> str:
    """The worker writes to the salesperson."""
    if settings_given().get("EMAIL_URL"):
        return "sent by EMAIL_URL, not looked for"
    folder = state_folder() / "mail"
    reference = str(story.payment["reference"])
    deadline = time.monotonic() + SECONDS_FOR_MAIL
    while time.monotonic() < deadline:
        if any(reference in text_of(path) for path in newest(folder)):
            return f"about {reference}, written by the worker"
        time.sleep(0.5)
    raise Unexpected(f"no mail about {reference} within {SECONDS_FOR_MAIL:.0f} s")


def newest(folder: Path) -> list[Path]:
    """Answer the mails of the last minutes."""
    try:
        return [p for p in folder.iterdir() if p.stat().st_mtime > time.time() - 300]
    except FileNotFoundError:
        return []


def text_of(path: Path) -> str:
    """Answer a file's text."""
    return path.read_text(encoding="utf-8", errors="replace")


def documents(story: Story) -> str:
    """The invoice can be fetched as a PDF, by a link that needs no signing in."""
    seller = story.person("salesperson")
    found = seller.get(f"/api/v1/invoices/{story.invoice['id']}/pdf/")
    pdf = Caller(story.host, story.web_port).expect(200, "GET", found["url"])
    insist(pdf.content.startswith(b"%PDF"), "the invoice's document is no PDF")
    return f"PDF of {len(pdf.content) // 1024} KB"


def dashboards(story: Story) -> str:
    """The salesperson's, the verifier's and the supervisor's figures."""
    sales = story.person("salesperson").get("/api/v1/dashboards/sales/")
    story.person("verifier").get("/api/v1/dashboards/verification/")
    summary = story.person("supervisor").get("/api/v1/dashboards/summary/")
    insist(bool(sales["totals"] and summary["totals"]), "a dashboard has no figures")
    story.person("team_lead").get(f"/api/v1/deals/{story.deal['id']}/")
    total = summary["totals"][0]
    return f"won {shown(total['won'])}, collected {shown(total['collected'])}"


def books(story: Story) -> str:
    """Debits equal credits in every currency."""
    rows = story.person("supervisor").get("/api/v1/ledger/trial-balance/")
    return f"balanced: {balanced(rows)}"


def balanced(answer: Any) -> str:
    """Answer the totals per currency.

    :raises Unexpected: a currency does not balance.
    """
    totals = answer["totals"]
    for total in totals:
        insist(
            total["debit"] == total["credit"],
            f"the trial balance of {total['currency']} does not balance: {total}",
        )
    return ", ".join(shown(total["debit"]) for total in totals)


def audit(story: Story) -> str:
    """The admin reads who did what to the payment."""
    admin = story.person("admin")
    entries = admin.get("/api/v1/audit-entries/", subject_id=story.payment["id"])["results"]
    events = sorted({str(entry["event"]).rpartition(".")[2] for entry in entries})
    insist("payment_verified" in events, f"the audit knows of {events} only")
    return ", ".join(events)


STEPS: tuple[tuple[str, Callable[[Story], str]], ...] = (
    ("strangers", stranger),
    ("signing in", everybody),
    ("deal", win_deal),
    ("payment", record_payment),
    ("refusal", refuse_seller),
    ("verification", verify_payment),
    ("consequences", follow),
    ("live news", news),
    ("mail", mail),
    ("invoice", documents),
    ("dashboards", dashboards),
    ("books", books),
    ("audit", audit),
)


def tell(story: Story) -> int:
    """Go through the steps, printing a line for each; answer the exit code."""
    print()
    for name, step in STEPS:
        started = time.monotonic()
        try:
            seen = step(story)
        except (Unexpected, KeyError, TypeError, ValueError) as problem:
            said = str(problem) if isinstance(problem, Unexpected) else repr(problem)
            print(f"  {name:<14} FAILED   {said}", flush=True)
            return 1
        print(f"  {name:<14} {time.monotonic() - started:5.2f} s  {seen}", flush=True)
    print("\nThe main job works.", flush=True)
    return 0


def main() -> int:
    """Obey the command line; answer the exit code."""
    from scripts.running import demo_logins

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--web-port", type=int, required=True)
    parser.add_argument("--sockets-port", type=int, required=True)
    chosen = parser.parse_args()
    base = settings_given().get("BASE_DOMAIN") or "localhost"
    try:
        logins = demo_logins(state_folder())
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return tell(
        Story(
            web_port=chosen.web_port,
            sockets_port=chosen.sockets_port,
            host=f"demo.{base}",
            logins=logins,
        )
    )


if __name__ == "__main__":
    raise SystemExit(main())
