"""Who may do what with invoices, unless the organization says otherwise.

Nobody adds invoices by hand: they follow from deals that were won.
"""

from __future__ import annotations

_TERMS = {"invoices.view_invoiceseries": "organization"}

GRANTS: dict[str, dict[str, str]] = {
    "salesperson": {"invoices.view_invoice": "own"},
    "team_lead": {"invoices.view_invoice": "unit"},
    "verifier": {
        **_TERMS,
        "invoices.view_invoice": "organization",
        "invoices.approve_invoice": "organization",
    },
    "supervisor": {**_TERMS, "invoices.view_invoice": "organization"},
    "admin": {
        **_TERMS,
        "invoices.view_invoice": "organization",
        "invoices.change_invoiceseries": "organization",
    },
}
