"""Clients and their contacts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.parties import services
from tenant_apps.parties.api.filters import ClientFilter, ContactFilter
from tenant_apps.parties.api.serializers import (
    ClientIn,
    ClientOut,
    ContactIn,
    ContactOut,
    NewClientIn,
)
from tenant_apps.parties.models import Contact, Party
from tenant_apps.parties.selectors import clients_visible_to, contacts_visible_to, home_of


class ClientViewSet(Listing, Retrieving, OrganizationViewSet):
    """Persons and companies that the organization sells to."""

    queryset = Party.objects.none()
    serializer_class = ClientOut
    input_serializers = {"create": NewClientIn, "partial_update": ClientIn}
    required_permissions = {
        "list": "parties.view_party",
        "retrieve": "parties.view_party",
        "create": "parties.add_party",
        "partial_update": "parties.change_party",
    }
    filterset_class = ClientFilter
    ordering_fields = ("name", "created_at")

    def get_queryset(self) -> Any:
        return clients_visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Record a client of one's own."""
        owner_id, unit_id = home_of(self.actor)
        new = services.NewClient(owner_id=owner_id, unit_id=unit_id, **self.read_input())
        return self.answer(services.record_clients(actor=self.actor, clients=[new])[0])

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a client."""
        return self.answer(
            services.change_client(
                actor=self.actor,
                party_id=pk,
                changes=self.read_input(),
                expected_version=self.expected_version(),
            )
        )


class ContactViewSet(Listing, Retrieving, OrganizationViewSet):
    """The persons at a client."""

    queryset = Contact.objects.none()
    serializer_class = ContactOut
    input_serializers = {"create": ContactIn, "partial_update": ContactIn}
    required_permissions = {
        "list": "parties.view_party",
        "retrieve": "parties.view_party",
        "create": "parties.change_party",
        "partial_update": "parties.change_party",
        "destroy": "parties.change_party",
    }
    filterset_class = ContactFilter
    ordering_fields = ("full_name", "created_at")

    def get_queryset(self) -> Any:
        return contacts_visible_to(self.actor, party_id=self.kwargs["client_id"])

    def create(self, request: Request, client_id: UUID) -> Response:
        """Add a person to a client."""
        return self.answer(
            services.add_contact(actor=self.actor, party_id=client_id, values=self.read_input())
        )

    def partial_update(self, request: Request, client_id: UUID, pk: UUID) -> Response:
        """Change a contact."""
        return self.answer(
            services.change_contact(
                actor=self.actor,
                party_id=client_id,
                contact_id=pk,
                changes=self.read_input(),
                expected_version=self.expected_version(),
            )
        )

    def destroy(self, request: Request, client_id: UUID, pk: UUID) -> Response:
        """Take a person off a client."""
        services.remove_contact(actor=self.actor, party_id=client_id, contact_id=pk)
        return self.answer()
