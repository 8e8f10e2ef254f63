"""Who may do what with payments, unless the organization says otherwise."""

from __future__ import annotations

_SEE_ALL = {
    "payments.view_payment": "organization",
    "payments.view_paymentinvoice": "organization",
}


def _work(scope: str) -> dict[str, str]:
    return {
        "payments.view_payment": scope,
        "payments.view_paymentinvoice": scope,
        "payments.add_payment": scope,
        "payments.change_payment": scope,
    }


GRANTS: dict[str, dict[str, str]] = {
    "salesperson": _work("own"),
    "team_lead": _work("unit"),
    "verifier": {**_SEE_ALL, "payments.verify_payment": "organization"},
    "supervisor": _SEE_ALL,
    "admin": _SEE_ALL,
}
