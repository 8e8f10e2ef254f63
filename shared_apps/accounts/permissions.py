"""Who lends rights to machines. Roles of an organization's own give it to whoever builds them."""

GRANTS = {
    "admin": {
        "accounts.add_apikey": "organization",
        "accounts.view_apikey": "organization",
        "accounts.delete_apikey": "organization",
        "accounts.view_signinpolicy": "organization",
        "accounts.change_signinpolicy": "organization",
    },
}
