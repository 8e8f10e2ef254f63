"""Rights of one person on one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Model

from shared_apps.access.administration import gives_any_role, lock_memberships
from shared_apps.access.errors import (
    AlreadyGranted,
    GrantBeyondOwnRights,
    OwnRights,
    PermissionNotGrantable,
)
from shared_apps.access.events import ObjectGranted, ObjectGrantRevoked
from shared_apps.access.models import ObjectGrant
from shared_apps.access.rules import grant_model_of, grants_in
from shared_apps.access.selectors import object_grants_visible_to, users_visible_to
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotFound

SHARE = "access.grant_objects"


def grant_object(*, actor: Actor, user_id: UUID, permission: str, subject: Model) -> ObjectGrant:
    """Give a person one right on one record. See ``grant_objects``."""
    return grant_objects(actor=actor, user_id=user_id, permission=permission, subjects=[subject])[0]


@transaction.atomic
def grant_objects(
    *, actor: Actor, user_id: UUID, permission: str, subjects: Sequence[Model]
) -> list[ObjectGrant]:
    """Give a person one right on several records of one kind, which the actor can see.

    Who may give any role may also give any right on a record, even to themselves, and the event
    says so; others give only what they hold on the record, and only to others.

    :raises NotFound: there is no such person.
    :raises Forbidden: the actor does not share that record.
    :raises OwnRights: the actor's own right, without being an admin.
    :raises GrantBeyondOwnRights: the actor does not hold the right on the record.
    :raises PermissionNotGrantable: it is no right on records of this kind, or they are not shared.
    :raises AlreadyGranted: the person holds it already.
    """
    if not subjects:
        return []
    actor = lock_memberships(actor)
    model = type(subjects[0])
    table = grant_model_of(model)
    if table is None:
        raise PermissionNotGrantable("Records of this kind are not shared one by one.")
    right = _right_on(model, permission)
    person = users_visible_to(actor).filter(pk=user_id).first()
    if person is None:
        raise NotFound("There is no such person.")
    for subject in subjects:
        _require_may_share(actor, user_id=user_id, permission=permission, subject=subject)
    rows = grants_in(table).filter(
        user=person, permission=right, content_object__in=[subject.pk for subject in subjects]
    )
    if rows.exists():
        raise AlreadyGranted
    make: Any = table
    made = [
        make(
            user=person,
            permission=right,
            content_object=subject,
            granted_by_id=actor.user_id,
        )
        for subject in subjects
    ]
    grants_in(table).bulk_create(made)
    audit.record_all(
        [
            ObjectGranted(
                subject_id=row.pk,
                user_id=person.pk,
                permission=permission,
                object_type=model._meta.label_lower,
                object_id=subject.pk,
                to_self=person.pk == actor.user_id,
            )
            for row, subject in zip(made, subjects, strict=True)
        ],
        actor=actor,
    )
    return made


@transaction.atomic
def revoke_object(*, actor: Actor, grant_id: UUID) -> None:
    """Take a right on one record back.

    :raises NotFound: there is no such grant on a record that the actor can see.
    :raises Forbidden: the actor does not share that record.
    """
    actor = lock_memberships(actor)
    for rows in object_grants_visible_to(actor):
        grant = rows.filter(pk=grant_id).select_for_update(of=("self",)).first()
        if grant is not None:
            break
    else:
        raise NotFound("There is no such grant.")
    actor.require(SHARE, grant.content_object)
    subject_type = type(grant.content_object)._meta
    event = ObjectGrantRevoked(
        subject_id=grant.pk,
        user_id=grant.user_id,
        permission=f"{subject_type.app_label}.{grant.permission.codename}",
        object_type=subject_type.label_lower,
        object_id=grant.content_object_id,
    )
    grant.delete()
    audit.record(event, actor=actor)


def _right_on(model: type[Model], permission: str) -> Permission:
    app_label, _, codename = permission.partition(".")
    right = Permission.objects.filter(
        content_type__app_label=app_label,
        content_type__model=model._meta.model_name,
        codename=codename,
    ).first()
    if app_label != model._meta.app_label or right is None:
        raise PermissionNotGrantable(extra={"permission": permission})
    return right


def _require_may_share(actor: Actor, *, user_id: UUID, permission: str, subject: Model) -> None:
    actor.require(SHARE, subject)
    if gives_any_role(actor):
        return
    if user_id == actor.user_id:
        raise OwnRights
    if not actor.allows(permission, subject):
        raise GrantBeyondOwnRights(extra={"permission": permission})
