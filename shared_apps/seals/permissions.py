"""Who reads seals and has them verified, and who sets what becomes of them."""

GRANTS = {
    "admin": {
        "seals.view_segment": "organization",
        "seals.view_sealsetting": "organization",
        "seals.change_sealsetting": "organization",
    },
}
