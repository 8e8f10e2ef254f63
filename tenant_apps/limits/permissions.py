"""Who may do what with credit limits, unless the organization says otherwise.

Whoever sells sees how much credit a client has left; who lets a client have more decides for the
organization. Whoever asks for an override never signs it, whatever the role.
"""

from __future__ import annotations

_SEE = {"limits.view_creditlimit": "organization"}
_DECIDE = {
    **_SEE,
    "limits.add_creditlimit": "organization",
    "limits.add_limitoverride": "organization",
    "limits.view_limitoverride": "organization",
    "limits.approve_limitoverride": "organization",
    "limits.view_overrun": "organization",
}

GRANTS: dict[str, dict[str, str]] = {
    "salesperson": {
        **_SEE,
        "limits.add_limitoverride": "own",
        "limits.view_limitoverride": "own",
    },
    "team_lead": {
        **_SEE,
        "limits.add_limitoverride": "unit",
        "limits.view_limitoverride": "unit",
    },
    "verifier": {
        **_SEE,
        "limits.view_limitoverride": "organization",
        "limits.view_overrun": "organization",
    },
    "supervisor": _DECIDE,
    "admin": _DECIDE,
}
