"""Who sees whether the organization's figures hold."""

GRANTS = {
    "admin": {
        "invariants.view_invariantcheck": "organization",
        "invariants.view_invariantalarm": "organization",
    },
}
