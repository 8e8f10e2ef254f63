"""Who sees and runs teams. Adding people also takes access.change_membership in the team."""

_RUN = {
    "teams.view_team": "organization",
    "teams.add_team": "organization",
    "teams.change_team": "organization",
    "teams.manage_members": "organization",
}

GRANTS = {
    "admin": _RUN,
    "supervisor": {"teams.view_team": "organization"},
    "verifier": {"teams.view_team": "organization"},
    "team_lead": {"teams.view_team": "organization", "teams.manage_members": "unit"},
    "salesperson": {"teams.view_team": "unit"},
}
