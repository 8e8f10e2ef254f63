"""The console's look: django-unfold with our name, colours and places."""

from django.urls import reverse_lazy


def _place(title: str, icon: str, view: str) -> dict[str, object]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{view}_changelist")}


UNFOLD = {
    "SITE_TITLE": "Kontor console",
    "SITE_HEADER": "Kontor console",
    "SITE_URL": None,
    "SITE_SYMBOL": "account_balance",
    "SHOW_HISTORY": False,
    "COLORS": {
        # A quiet green; the steps of one hue, light to dark.
        "primary": {
            "50": "240 253 244",
            "100": "220 252 231",
            "200": "187 247 208",
            "300": "134 239 172",
            "400": "74 222 128",
            "500": "34 160 84",
            "600": "21 115 61",
            "700": "21 94 50",
            "800": "22 78 44",
            "900": "20 64 37",
            "950": "5 46 22",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Platform",
                "items": [
                    {"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")},
                    _place("Organizations", "apartment", "tenants_organization"),
                    _place("Sign-ups", "person_add", "onboarding_signup"),
                    _place("Plans", "sell", "plans_plan"),
                    _place("Spare schemas", "inventory_2", "tenants_spareschema"),
                    _place("Super-admins", "shield_person", "accounts_user"),
                    _place("Mails", "mail", "delivery_mail"),
                    _place("Audit log", "history", "audit_auditentry"),
                ],
            },
        ],
    },
}
