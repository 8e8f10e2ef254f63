"""Who may see which dashboard, unless the organization says otherwise."""

from __future__ import annotations

GRANTS: dict[str, dict[str, str]] = {
    "salesperson": {"dashboards.view_sales": "own"},
    "team_lead": {"dashboards.view_sales": "unit"},
    "verifier": {"dashboards.view_queue": "organization"},
    "supervisor": {
        "dashboards.view_sales": "organization",
        "dashboards.view_queue": "organization",
        "dashboards.view_summary": "organization",
    },
    "admin": {
        "dashboards.view_sales": "organization",
        "dashboards.view_queue": "organization",
        "dashboards.view_summary": "organization",
    },
}
