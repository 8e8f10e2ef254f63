"""Who may do what with clients, unless the organization says otherwise."""

from __future__ import annotations

# Clients are seen by everybody: two salespeople may sell to the same company, and hiding it from
# one of them would only make a second record of it.
_SEE_ALL = {"parties.view_party": "organization"}

GRANTS: dict[str, dict[str, str]] = {
    "salesperson": {**_SEE_ALL, "parties.add_party": "own", "parties.change_party": "own"},
    "team_lead": {**_SEE_ALL, "parties.add_party": "unit", "parties.change_party": "unit"},
    "verifier": {**_SEE_ALL},
    "supervisor": {
        **_SEE_ALL,
        "parties.add_party": "organization",
        "parties.change_party": "organization",
    },
    "admin": {**_SEE_ALL},
}
