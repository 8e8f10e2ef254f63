"""The persons and companies an organization deals with, and what they are to it."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower

from shared_apps.access.models import AccessPaths, Unit
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned


class PartyKind(models.TextChoices):
    PERSON = "person", "Person"
    COMPANY = "company", "Company"


class Role(models.TextChoices):
    CLIENT = "client", "Client"
    SUPPLIER = "supplier", "Supplier"
    PURCHASER = "purchaser", "Purchaser"
    BANK = "bank", "Bank"
    SELLER = "seller", "Seller"


class PartyQuerySet(RecordQuerySet["Party"]):
    def with_role(self, role: str) -> Self:
        roles = PartyRole.objects.filter(party=OuterRef("pk"), role=role)
        return self.filter(Exists(roles))

    def clients(self) -> Self:
        return self.with_role(Role.CLIENT)


class Party(Record, Versioned):
    """One person or company. Never deleted: books and invoices point here."""

    access_paths: ClassVar[AccessPaths] = AccessPaths()

    kind = models.CharField(max_length=10, choices=PartyKind, default=PartyKind.COMPANY)
    name = models.CharField(max_length=200)
    legal_name = models.CharField(max_length=200, blank=True, default="")
    tax_number = models.CharField(max_length=50, blank=True, default="")
    email = models.EmailField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    address_line_1 = models.CharField(max_length=200, blank=True, default="")
    address_line_2 = models.CharField(max_length=200, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    postal_code = models.CharField(max_length=20, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    sector = models.CharField(max_length=80, blank=True, default="")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="subsidiaries"
    )
    payment_terms_days = models.PositiveSmallIntegerField(null=True, blank=True)
    is_own = models.BooleanField(default=False)
    # Null for the organization's own party, which exists before its first user.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    unit = models.ForeignKey(Unit, null=True, on_delete=models.PROTECT, related_name="+")
    external_source = models.CharField(max_length=40, blank=True, default="")
    external_reference = models.CharField(max_length=200, blank=True, default="")

    objects = PartyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_own"], condition=Q(is_own=True), name="parties_party_one_own"
            ),
            models.UniqueConstraint(
                fields=["external_source", "external_reference"],
                condition=~Q(external_reference=""),
                name="parties_party_external_reference",
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=F("id")),
                name="parties_party_not_own_parent",
            ),
            models.CheckConstraint(
                condition=Q(payment_terms_days__isnull=True) | Q(payment_terms_days__lte=365),
                name="parties_party_terms_at_most_a_year",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="parties_party_named"),
        ]
        indexes = [
            models.Index(Lower("name"), name="parties_party_name_lower"),
        ]

    def __str__(self) -> str:
        return self.name

    def invoicing_details(self) -> dict[str, str]:
        """What an invoice prints of this party, as it is today.

        An invoice keeps its own copy: a later change of name or address must not change a
        document that was already sent.
        """
        return {
            "name": self.legal_name or self.name,
            "tax_number": self.tax_number,
            "address_line_1": self.address_line_1,
            "address_line_2": self.address_line_2,
            "city": self.city,
            "postal_code": self.postal_code,
            "country": self.country,
        }


class PartyRole(Record):
    """That a party is a client (supplier, ...) of this organization."""

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="roles")
    role = models.CharField(max_length=12, choices=Role)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["party", "role"], name="parties_partyrole_once"),
        ]

    def __str__(self) -> str:
        return self.role


class ContactQuerySet(RecordQuerySet["Contact"]):
    def receiving_invoices(self) -> Self:
        return self.filter(receives_invoices=True).exclude(email="")


class Contact(Record, Versioned):
    """A person at a party. All of it is personal data."""

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="party__owner_id", unit="party__unit_id"
    )

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="contacts")
    full_name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    job_title = models.CharField(max_length=100, blank=True, default="")
    is_primary = models.BooleanField(default=False)
    receives_invoices = models.BooleanField(default=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["party"],
                condition=Q(is_primary=True),
                name="parties_contact_one_primary",
            ),
            models.CheckConstraint(condition=~Q(full_name=""), name="parties_contact_named"),
        ]

    def __str__(self) -> str:
        return self.full_name
