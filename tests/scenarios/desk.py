"""What people do at their desks, each as the calls that their screens would make."""

from __future__ import annotations

from typing import Any

from django.db import connection

from tenant_apps.dashboards.recounting import differences
from tenant_apps.ledger.verification import verify
from tests.cast import Caller, Cast

WON_ON = "2026-03-02"
PAID_ON = "2026-03-10"


def money(amount: str, currency: str = "KES") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


class Desk:
    """The named cast at work. Each act answers what its request answered."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self._callers: dict[str, Caller] = {}

    def __getitem__(self, name: str) -> Caller:
        if name not in self._callers:
            self._callers[name] = self.cast.api(name)
        return self._callers[name]

    def done(self, answer: Any, status: int = 201) -> Any:
        assert answer.status_code == status, answer.json()
        return answer.json()

    def get(self, name: str, path: str) -> Any:
        return self.done(self[name].get(path), 200)

    def client(self, by: str = "olga", name: str = "Mto Traders") -> str:
        return str(self.done(self[by].post("clients/", {"name": name}))["id"])

    def tax(self, percent: str = "16.000") -> str:
        body = {"code": "VAT", "name": "VAT", "category": "S", "percent": percent}
        return str(self.done(self["ada"].post("tax-rates/", body))["id"])

    def deal(self, value: str = "1000.00", by: str = "olga", **values: Any) -> str:
        body = {"value": money(value), "client": self.client(by), "staged_on": "2026-03-01"}
        return str(self.done(self[by].post("deals/", body | values))["id"])

    def win(self, deal: str, by: str = "olga", **headers: Any) -> Any:
        body = {"to_stage": "won", "occurred_on": WON_ON}
        return self.done(self[by].post(f"deals/{deal}/stage-changes/", body, **headers))

    def pay(
        self, deal: str, amount: str, by: str = "olga", method: str = "mobile_money", **values: Any
    ) -> str:
        body = {"deal": deal, "method": method, "amount": money(amount), "paid_on": PAID_ON}
        return str(self.done(self[by].post("payments/", body | values))["id"])

    def verify(self, payment: str, by: str = "vera") -> Any:
        return self.done(self[by].post(f"payments/{payment}/verification/", {}))

    def reject(self, payment: str, remarks: str, by: str = "vera") -> Any:
        body = {"remarks": remarks}
        return self.done(self[by].post(f"payments/{payment}/rejection/", body))

    def invoice_of(self, deal: str) -> Any:
        """The deal's one invoice, in full."""
        (row,) = self.get("olga", f"invoices/?deal={deal}")["results"]
        return self.get("olga", f"invoices/{row['id']}/")

    def commissions(self, by: str = "olga") -> Any:
        """Oldest first."""
        return self.get(by, "commissions/?ordering=created_at")["results"]

    def sales(self, by: str = "olga") -> dict[str, str]:
        """What the own dashboard says of all time: won, collected, commission."""
        (totals,) = self.get(by, "dashboards/sales/")["totals"]
        return {name: totals[name]["amount"] for name in ("won", "collected", "commission")}

    def events(self, **filters: str) -> list[Any]:
        """The audit trail as an administrator reads it, oldest first."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return list(reversed(self.get("ada", f"audit-entries/?page_size=200&{query}")["results"]))

    def close_the_day(self) -> None:
        """The books balance and prove themselves; the figures equal a recount."""
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for total in self.get("ada", "ledger/trial-balance/")["totals"]:
            assert total["difference"]["amount"].strip("-0.") == "", total
        assert verify().findings == ()
        assert differences() == []
