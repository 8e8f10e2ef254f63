"""Who may do what with commissions, unless the organization says otherwise."""

from __future__ import annotations

_SEE_ALL = {
    "commissions.view_commission": "organization",
    "commissions.view_commissionplan": "organization",
}

GRANTS: dict[str, dict[str, str]] = {
    "salesperson": {
        "commissions.view_commission": "own",
        "commissions.view_commissionplan": "organization",
    },
    "team_lead": {
        "commissions.view_commission": "unit",
        "commissions.view_commissionplan": "organization",
    },
    "supervisor": _SEE_ALL,
    "admin": {**_SEE_ALL, "commissions.add_commissionplan": "organization"},
}
