"""Who sees requests for approval. Who signs them is each action's own permission."""

GRANTS = {
    "admin": {"approvals.view_approval": "organization"},
    "supervisor": {"approvals.view_approval": "organization"},
    "verifier": {"approvals.view_approval": "organization"},
    "team_lead": {"approvals.view_approval": "unit"},
    "salesperson": {"approvals.view_approval": "own"},
}
