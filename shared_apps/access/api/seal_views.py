"""Seals over HTTP: segments, their verification, proofs for strangers, and what is set about them.

They stand here because views of an organization begin with access, above the seals themselves.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.filters import SegmentFilter
from shared_apps.access.api.seal_serializers import (
    ProofOut,
    SealKeyOut,
    SealSettingIn,
    SealSettingOut,
    SegmentOut,
    VerificationOut,
    VerificationQuery,
)
from shared_apps.access.api.views import OrganizationView, OrganizationViewSet
from shared_apps.kernel.api.views import DomainView, Listing, Retrieving
from shared_apps.seals import chains, keys, selectors, services
from shared_apps.seals.models import Segment
from shared_apps.seals.proofs import proof_of
from shared_apps.seals.verification import verify_chain

READ = selectors.VIEW_PERMISSION


class SegmentViewSet(Listing, Retrieving, OrganizationViewSet):
    """Sealed segments: up to a thousand rows each, signed, linked to the one before."""

    serializer_class = SegmentOut
    filterset_class = SegmentFilter
    ordering = ("-sealed_at", "-id")
    required_permissions = {"list": READ, "retrieve": READ}

    def get_queryset(self) -> QuerySet[Segment]:
        return selectors.segments_visible_to(self.actor)


class SealVerificationView(OrganizationView):
    """Reads sealed rows again, some segments at a time."""

    serializer_class = VerificationOut
    query_parameters = {"get": VerificationQuery}
    required_permissions = {"get": READ}

    def get(self, request: Request) -> Response:
        """The segments behind number `after`. Go on with `next_after` until it is null: parts that
        follow each other prove as much as the whole."""
        asked = self.read_query()
        found = verify_chain(
            chains.by_name(asked["chain"]),
            after=asked["after"],
            segments_at_most=asked["segments"],
            everywhere=False,
        )
        return self.answer(found)


class SealProofView(OrganizationView):
    """What docs/verify_seal.py checks without Kontor."""

    serializer_class = ProofOut
    required_permissions = {"get": READ}

    def get(self, request: Request, row_id: UUID) -> Response:
        """The proof of a transfer or an audit entry, by its id."""
        return self.answer(proof_of(actor=self.actor, row_id=row_id))


class SealKeysView(DomainView):
    """The public keys that seals are checked with, for everybody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = SealKeyOut
    unpaged = frozenset({"get"})

    @extend_schema(operation_id="seal_keys", responses=SealKeyOut(many=True), auth=[])
    def get(self, request: Request) -> Response:
        """All of them, retired ones too."""
        return self.answer_all(keys.published())


class SealSettingsView(OrganizationView):
    """Whether heads are mailed to the admins, and how long audit entries are kept."""

    serializer_class = SealSettingOut
    input_serializers = {"patch": SealSettingIn}
    required_permissions = {
        "get": "seals.view_sealsetting",
        "patch": "seals.change_sealsetting",
    }

    def get(self, request: Request) -> Response:
        """The present settings; the defaults where nothing was set."""
        return self.answer(selectors.settings_of_organization())

    def patch(self, request: Request) -> Response:
        """Change some of them."""
        changes: dict[str, Any] = self.read_input()
        changed = services.change_settings(
            actor=self.actor, changes=changes, expected_version=self.expected_version()
        )
        return self.answer(changed)
