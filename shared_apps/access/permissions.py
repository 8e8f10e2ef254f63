"""Who administers people and rights, and who reads the audit."""

_COLLEAGUES = {
    "accounts.view_user": "organization",
    "access.view_unit": "organization",
    "access.view_role": "organization",
}

GRANTS = {
    "admin": {
        **_COLLEAGUES,
        "accounts.add_user": "organization",
        "accounts.change_user": "organization",
        "accounts.deactivate_user": "organization",
        "accounts.reset_second_factor": "organization",
        "access.view_membership": "organization",
        "access.change_membership": "organization",
        "access.add_role": "organization",
        "access.change_role": "organization",
        "access.delete_role": "organization",
        "access.grant_objects": "organization",
        "audit.view_auditentry": "organization",
    },
    "supervisor": {
        **_COLLEAGUES,
        "access.view_membership": "organization",
        "access.grant_objects": "organization",
    },
    "verifier": _COLLEAGUES,
    "team_lead": {
        **_COLLEAGUES,
        "accounts.add_user": "unit",
        "access.view_membership": "unit",
        "access.change_membership": "unit",
        "access.grant_objects": "unit",
    },
    "salesperson": {
        "accounts.view_user": "own",
        "access.view_unit": "unit",
        "access.view_membership": "own",
    },
}
