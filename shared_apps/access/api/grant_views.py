"""Rights of one person on one record."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access import services
from shared_apps.access.api.serializers import ObjectGrantIn, ObjectGrantOut, SubjectQuery
from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.access.models import Membership, ObjectGrant
from shared_apps.access.rules import grant_model_of
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.api.views import Listing
from shared_apps.kernel.errors import BadInput, NotFound


def shared_model(subject_type: str) -> type[Model]:
    """The model behind a name such as ``deals.deal``, if its records are shared one by one.

    :raises BadInput: there is none.
    """
    model: type[Model] | None = None
    with suppress(LookupError, ValueError):
        model = apps.get_model(subject_type)
    if model is None or grant_model_of(model) is None:
        raise BadInput.field("subject_type", detail="Records of this kind are not shared.")
    return model


def subject_for(actor: Actor, *, subject_type: str, subject_id: UUID) -> Model:
    """A record that the actor sees.

    :raises BadInput: its kind is not shared.
    :raises NotFound: it does not exist or is not visible.
    """
    model = shared_model(subject_type)
    view = f"{model._meta.app_label}.view_{model._meta.model_name}"
    found = actor.visible(model._base_manager.all(), view).filter(pk=subject_id).first()
    if found is None:
        raise NotFound(f"There is no such {model._meta.verbose_name}.")
    return found


class ObjectGrantViewSet(Listing, OrganizationViewSet):
    """Who was given which right on a single record."""

    serializer_class = ObjectGrantOut
    input_serializers = {"create": ObjectGrantIn}
    step_up = frozenset({"create"})
    query_parameters = {"list": SubjectQuery}
    required_permissions = {"list": services.SHARE, "create": services.SHARE}
    ordering = ("created_at",)
    # Each kind of record has a table of grants of its own; the schema only needs the key's type.
    queryset = Membership.objects.none()

    def get_queryset(self) -> QuerySet[ObjectGrant]:
        subject = subject_for(self.actor, **self.read_query())
        self.actor.require(services.SHARE, subject)
        table: Any = grant_model_of(type(subject))
        rows: QuerySet[ObjectGrant] = table._default_manager.filter(content_object=subject)
        return rows.select_related("permission")

    def create(self, request: Request) -> Response:
        """Give a person a right on a record."""
        given = self.read_input()
        subject = subject_for(
            self.actor,
            subject_type=given.pop("subject_type"),
            subject_id=given.pop("subject_id"),
        )
        return self.answer(services.grant_object(actor=self.actor, subject=subject, **given))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take the right back."""
        services.revoke_object(actor=self.actor, grant_id=pk)
        return self.answer()
