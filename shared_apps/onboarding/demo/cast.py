"""The invented names of the demo organization. Nobody here exists."""

from dataclasses import dataclass

SUBDOMAIN = "demo"
NAME = "Savanna Office Supplies"
COUNTRY = "KE"
CURRENCY = "KES"
TIME_ZONE = "Africa/Nairobi"
MAIL_DOMAIN = "demo.example"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the demo's staff; `team` is empty for those who work for the whole of it."""

    first_name: str
    name: str
    role: str
    team: str = ""
    # How likely each deal of this person is won, in hundredths.
    luck: int = 50

    @property
    def email(self) -> str:
        return f"{self.first_name.lower()}@{MAIL_DOMAIN}"


ADMIN = Person("Amani", "Amani Otieno", "admin")
STAFF = (
    Person("Subira", "Subira Njoroge", "supervisor"),
    Person("Vuma", "Vuma Kilonzo", "verifier"),
    Person("Leila", "Leila Wekesa", "team_lead", "Coast", 60),
    Person("Tumaini", "Tumaini Barasa", "team_lead", "Highlands", 55),
    Person("Sefu", "Sefu Mutua", "salesperson", "Coast", 48),
    Person("Zuri", "Zuri Achieng", "salesperson", "Coast", 62),
    Person("Baraka", "Baraka Kimani", "salesperson", "Coast", 41),
    Person("Nia", "Nia Chebet", "salesperson", "Highlands", 57),
    Person("Jabari", "Jabari Maina", "salesperson", "Highlands", 52),
    Person("Imara", "Imara Wanjiru", "salesperson", "Highlands", 45),
    Person("Wema", "Wema Kariuki", "wallet_admin"),
    Person("Pendo", "Pendo Auma", "seller"),
    Person("Juma", "Juma Omondi", "seller"),
)
# What the sellers' kiosks are called, in the order of the sellers.
KIOSKS = ("Kiosk by the Harbour", "Kiosk at the Market")
# Code, name and number ranges of invented operators.
OPERATORS = (
    ("savanna", "Savanna Mobile", ("+25470", "+25471", "+25472")),
    ("lake", "Lake Telecom", ("+25473", "+25478", "+25410")),
)
TEAMS = ("Coast", "Highlands")

# Code, name, series, price in major units.
PRODUCTS = (
    ("DESK-S", "Standing desk", "Furniture", 48_500),
    ("CHAIR-E", "Ergonomic chair", "Furniture", 27_900),
    ("SHELF-M", "Modular shelf", "Furniture", 16_200),
    ("PRINT-L", "Laser printer", "Machines", 62_000),
    ("SCAN-D", "Document scanner", "Machines", 38_400),
    ("PAPER-P", "Paper, a pallet", "Consumables", 74_000),
    ("TONER-B", "Toner, a box", "Consumables", 21_500),
    ("CARE-Y", "Care contract, a year", "Services", 95_000),
)

_FIRST = ("Acacia", "Baobab", "Coral", "Delta", "Ebony", "Falcon", "Gazelle", "Harbour", "Indigo")
_SECOND = ("Clinics", "Foods", "Freight", "Hotels", "Schools")
SECTORS = ("health", "food", "transport", "hospitality", "education")


def clients() -> list[tuple[str, str]]:
    """Name and sector of every client."""
    return [
        (f"{first} {second}", SECTORS[position])
        for first in _FIRST
        for position, second in enumerate(_SECOND)
    ]
