"""Who may do what with products and tax rates, unless the organization says otherwise."""

from __future__ import annotations

_SEE = {"products.view_product": "organization", "products.view_taxrate": "organization"}

GRANTS: dict[str, dict[str, str]] = {
    "salesperson": {**_SEE},
    "team_lead": {**_SEE},
    "verifier": {**_SEE},
    "supervisor": {
        **_SEE,
        "products.add_product": "organization",
        "products.change_product": "organization",
    },
    "admin": {
        **_SEE,
        "products.add_product": "organization",
        "products.change_product": "organization",
        "products.add_taxrate": "organization",
        "products.change_taxrate": "organization",
    },
}
