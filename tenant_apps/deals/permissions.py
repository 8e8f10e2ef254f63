"""Who may do what with deals, unless the organization says otherwise."""

from __future__ import annotations

# The stages and the log of a deal are read and written with the rights on the deal itself.
_SEE = ("deals.view_deal",)
_EDIT = ("deals.add_deal", "deals.change_deal")


def _grants(scope: str, *permissions: str) -> dict[str, str]:
    return dict.fromkeys(permissions, scope)


GRANTS: dict[str, dict[str, str]] = {
    "salesperson": _grants("own", *_SEE, *_EDIT),
    "team_lead": _grants("unit", *_SEE, *_EDIT, "deals.assign_deal"),
    "verifier": _grants("unit", *_SEE),
    "supervisor": _grants("organization", *_SEE, *_EDIT, "deals.assign_deal"),
    "admin": _grants("organization", *_SEE),
}
