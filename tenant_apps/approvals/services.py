"""Asking for approval and giving it. The intent itself is a row of the app that asks.

The order of locks is the same everywhere: what the action locks above its subjects, the subjects,
their approvals. ``submit`` is a step of a service that holds the subject's lock already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from shared_apps.access.actors import renewed
from shared_apps.access.rules import paths_of, value_at
from shared_apps.access.selectors import root_unit
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden, NotFound
from shared_apps.kernel.operations import step

from .content import check_content, hashes_of
from .errors import (
    AlreadySigned,
    AlreadySubmitted,
    MakerCannotSign,
    NotTheMaker,
    SignerUnknown,
)
from .events import (
    ApprovalGiven,
    ApprovalRecalled,
    ApprovalRejected,
    ApprovalSigned,
    ApprovalSubmitted,
    ApprovalVoided,
)
from .models import Approval, ApprovalState, Signature
from .registry import Action, action_for
from .selectors import approvals_visible_to

_ROWS_PER_STATEMENT = 1000


@step
def submit(*, subject: Model, action: str, actor: Actor, maker_id: UUID | None = None) -> Approval:
    """Step: ask for the signatures that an action on a subject needs. See ``submit_all``."""
    makers = None if maker_id is None else {subject.pk: maker_id}
    return submit_all(subjects=[subject], action=action, actor=actor, makers=makers)[0]


@step
@transaction.atomic
def submit_all(
    *,
    subjects: Sequence[Model],
    action: str,
    actor: Actor,
    makers: Mapping[UUID, UUID] | None = None,
) -> list[Approval]:
    """Step: ask for signatures for the same action on many subjects of one kind.

    The caller has locked the subjects and checked that the actor may ask. A request that is
    waiting is voided if the content has changed since. Only the system names other ``makers``
    (by subject id) than the actor: an import knows who recorded each row.

    :raises AlreadySubmitted: the same content is waiting for signatures already.
    :raises Forbidden: somebody other than the system names another maker.
    """
    if not subjects:
        return []
    if makers and not actor.is_system and set(makers.values()) != {actor.user_id}:
        raise Forbidden("Only the system asks for approval in another's name.")
    registered = action_for(subjects[0]._meta.label_lower, action)
    made = _new_approvals(registered, subjects, actor=actor, makers=makers or {})
    _void_outdated(registered, made, actor=actor)
    Approval.objects.bulk_create(made, batch_size=_ROWS_PER_STATEMENT)
    audit.record_all(
        [
            ApprovalSubmitted(
                subject_id=approval.pk, maker_id=approval.maker_id, **_about(approval)
            )
            for approval in made
        ],
        actor=actor,
    )
    return made


def sign(*, approval_id: UUID, actor: Actor, comment: str = "") -> Approval:
    """Sign; the last signature brings the effect about. See ``sign_all``."""
    return sign_all(approval_ids=[approval_id], actor=actor, comment=comment)[0]


@transaction.atomic
def sign_all(*, approval_ids: Iterable[UUID], actor: Actor, comment: str = "") -> list[Approval]:
    """Sign several requests, all or none; those that have all their signatures take effect.

    Rights are read again under the locks, so that whoever has just lost them does not sign.

    :raises NotFound: a request does not exist or is not visible.
    :raises SignerUnknown: the actor is no person.
    :raises Forbidden: the actor does not hold the action's permission on a subject.
    :raises MakerCannotSign: the actor asked for it, or owns or made the subject.
    :raises ApprovalClosed: a request was approved, rejected, recalled or voided before.
    :raises AlreadySigned: the actor has signed it before.
    :raises ContentChanged: a subject is no longer what was submitted; the fields are named.
    """
    approvals, subjects, actor = _locked_for_signer(approval_ids, actor)
    for approval in approvals:
        approval.check_pending()
    former = _signers_of(approvals)
    for approval in approvals:
        if actor.user_id in former.get(approval.pk, ()):
            raise AlreadySigned
        check_content(approval, subjects[approval.subject_id])
    signatures = _sign(approvals, actor=actor, comment=comment)
    complete = [
        approval
        for approval in approvals
        if len(former.get(approval.pk, ())) + 1 >= approval.required_signatures
    ]
    _close(complete, ApprovalState.APPROVED, actor=actor)
    events: list[Any] = [
        ApprovalSigned(
            subject_id=approval.pk,
            signer_id=signature.signer_id,
            level=signature.level,
            **_about(approval),
        )
        for approval, signature in zip(approvals, signatures, strict=True)
    ]
    events += [
        ApprovalGiven(subject_id=approval.pk, maker_id=approval.maker_id, **_about(approval))
        for approval in complete
    ]
    audit.record_all(events, actor=actor)
    _bring_about(complete, actor=actor)
    return approvals


def reject(*, approval_id: UUID, actor: Actor, remark: str) -> Approval:
    """Say no; the request is closed. See ``reject_all``."""
    return reject_all(approval_ids=[approval_id], actor=actor, remark=remark)[0]


@transaction.atomic
def reject_all(*, approval_ids: Iterable[UUID], actor: Actor, remark: str) -> list[Approval]:
    """Say no to several requests, all or none; who may sign may reject.

    :raises NotFound: a request does not exist or is not visible.
    :raises SignerUnknown: the actor is no person.
    :raises Forbidden: the actor does not hold the action's permission on a subject.
    :raises MakerCannotSign: the actor asked for it, or owns or made the subject.
    :raises ApprovalClosed: a request was approved, rejected, recalled or voided before.
    """
    approvals, _, actor = _locked_for_signer(approval_ids, actor)
    for approval in approvals:
        approval.check_pending()
    assert actor.user_id is not None
    _close(approvals, ApprovalState.REJECTED, actor=actor, remark=remark)
    audit.record_all(
        [
            ApprovalRejected(subject_id=approval.pk, signer_id=actor.user_id, **_about(approval))
            for approval in approvals
        ],
        actor=actor,
    )
    _tell_declined(approvals, actor=actor)
    return approvals


@transaction.atomic
def recall(*, approval_id: UUID, actor: Actor, remark: str = "") -> Approval:
    """Take a request back; only its maker can, while it waits.

    :raises NotFound: it does not exist or is not visible.
    :raises NotTheMaker: somebody else asked for it.
    :raises ApprovalClosed: it was approved, rejected, recalled or voided before.
    """
    approval = approvals_visible_to(actor).obtain(approval_id)
    _locked_subjects([approval])
    approval = approvals_visible_to(actor).locked(approval_id)
    actor.require("approvals.view_approval")
    if approval.maker_id is None or approval.maker_id != actor.user_id:
        raise NotTheMaker
    approval.check_pending()
    _close([approval], ApprovalState.RECALLED, actor=actor, remark=remark)
    audit.record(
        ApprovalRecalled(subject_id=approval.pk, maker_id=approval.maker_id, **_about(approval)),
        actor=actor,
    )
    _tell_declined([approval], actor=actor)
    return approval


@step
def void_all(*, subjects: Sequence[Model], action: str, actor: Actor) -> None:
    """Nobody need sign any more: the subjects, locked by the caller, were decided otherwise."""
    registered = action_for(subjects[0]._meta.label_lower, action)
    waiting = _locked_waiting(registered, [subject.pk for subject in subjects])
    _close(waiting, ApprovalState.VOIDED, actor=actor)
    voided = [ApprovalVoided(subject_id=each.pk, fields=(), **_about(each)) for each in waiting]
    audit.record_all(voided, actor=actor)


def _new_approvals(
    action: Action, subjects: Sequence[Any], *, actor: Actor, makers: Mapping[UUID, UUID]
) -> list[Approval]:
    paths = paths_of(action.model)
    units = {
        subject.pk: value_at(subject, paths.unit)
        for subject in subjects
        if isinstance(paths.unit, str)
    }
    root_id: Any = root_unit().pk if len(units) < len(subjects) else None
    made = []
    for subject in subjects:
        field_hashes, content_hash = hashes_of(action, subject)
        maker_id = makers.get(subject.pk, actor.user_id)
        made.append(
            Approval(
                subject_type=action.subject_type,
                subject_id=subject.pk,
                action=action.name,
                content_hash=content_hash,
                field_hashes=field_hashes,
                maker_id=maker_id,
                owner_id=(value_at(subject, paths.owner) if paths.owner else None) or maker_id,
                unit_id=units.get(subject.pk, root_id),
                required_signatures=action.signatures,
                created_by_id=actor.user_id,
                updated_by_id=actor.user_id,
            )
        )
    return made


def _locked_waiting(action: Action, subject_ids: Iterable[UUID]) -> list[Approval]:
    about = Approval.objects.pending().about(
        subject_type=action.subject_type, subject_ids=list(subject_ids), action=action.name
    )
    return list(about.order_by("pk").for_change())


def _void_outdated(action: Action, made: Sequence[Approval], *, actor: Actor) -> None:
    fresh = {approval.subject_id: approval for approval in made}
    waiting = _locked_waiting(action, fresh)
    for former in waiting:
        if former.content_hash == fresh[former.subject_id].content_hash:
            raise AlreadySubmitted(extra={"approval_id": str(former.pk)})
    _close(waiting, ApprovalState.VOIDED, actor=actor)
    audit.record_all(
        [
            ApprovalVoided(
                subject_id=former.pk,
                fields=tuple(former.changed_fields(fresh[former.subject_id].field_hashes)),
                **_about(former),
            )
            for former in waiting
        ],
        actor=actor,
    )


def _locked_for_signer(
    approval_ids: Iterable[UUID], actor: Actor
) -> tuple[list[Approval], dict[UUID, Any], Actor]:
    if actor.user_id is None:
        raise SignerUnknown
    wanted = list(dict.fromkeys(approval_ids))
    seen = list(approvals_visible_to(actor).filter(pk__in=wanted))
    if len(seen) != len(wanted):
        raise NotFound("There is no such approval.")
    subjects = _locked_subjects(seen)
    actor = renewed(actor)
    approvals = approvals_visible_to(actor).locked_all(wanted)
    _require_permissions(approvals, actor)
    for approval in approvals:
        approval.check_not_maker(actor.user_id)
        action = action_for(approval.subject_type, approval.action)
        if actor.user_id in action.people_concerned(subjects[approval.subject_id]):
            raise MakerCannotSign
    order = {pk: place for place, pk in enumerate(wanted)}
    return sorted(approvals, key=lambda approval: order[approval.pk]), subjects, actor


def _by_action(approvals: Iterable[Approval]) -> dict[tuple[str, str], list[Approval]]:
    found: dict[tuple[str, str], list[Approval]] = {}
    for approval in approvals:
        found.setdefault((approval.subject_type, approval.action), []).append(approval)
    return dict(sorted(found.items()))


def _locked_subjects(approvals: Iterable[Approval]) -> dict[UUID, Any]:
    subjects: dict[UUID, Any] = {}
    for (subject_type, name), several in _by_action(approvals).items():
        action = action_for(subject_type, name)
        ids = {approval.subject_id for approval in several}
        if action.lock_above is not None:
            action.lock_above(ids)
        rows = action.subjects().filter(pk__in=ids).order_by("pk")
        found = {row.pk: row for row in rows.select_for_update(of=("self",), no_key=True)}
        if len(found) != len(ids):
            raise NotFound("What was to be approved no longer exists.")
        subjects |= found
    return subjects


def _require_permissions(approvals: Iterable[Approval], actor: Actor) -> None:
    for (subject_type, name), several in _by_action(approvals).items():
        action = action_for(subject_type, name)
        ids = {approval.subject_id for approval in several}
        held = actor.visible(
            action.model._base_manager.filter(pk__in=ids), action.permission
        ).count()
        if held != len(ids):
            raise Forbidden(
                f"This needs the permission {action.permission}.",
                extra={"permission": action.permission},
            )


def _signers_of(approvals: Sequence[Approval]) -> dict[UUID, set[UUID]]:
    signers: dict[UUID, set[UUID]] = {}
    rows = Signature.objects.filter(approval_id__in=[approval.pk for approval in approvals])
    for approval_id, signer_id in rows.values_list("approval_id", "signer_id"):
        signers.setdefault(approval_id, set()).add(signer_id)
    return signers


def _sign(approvals: Sequence[Approval], *, actor: Actor, comment: str) -> list[Signature]:
    moment = clock.now()
    assert actor.user_id is not None
    return Signature.objects.bulk_create(
        [
            Signature(
                approval=approval,
                signer_id=actor.user_id,
                comment=comment,
                content_hash=approval.content_hash,
                signed_at=moment,
                created_by_id=actor.user_id,
                updated_by_id=actor.user_id,
            )
            for approval in approvals
        ],
        batch_size=_ROWS_PER_STATEMENT,
    )


def _close(
    approvals: Sequence[Approval], state: ApprovalState, *, actor: Actor, remark: str = ""
) -> None:
    if not approvals:
        return
    moment = clock.now()
    values = {
        "state": state,
        "closed_at": moment,
        "closed_by_id": actor.user_id,
        "remark": remark,
        "updated_at": moment,
        "updated_by_id": actor.user_id,
    }
    for approval in approvals:
        for name, value in values.items():
            setattr(approval, name, value)
    Approval.objects.filter(pk__in=[approval.pk for approval in approvals]).update(**values)


def _bring_about(approvals: Sequence[Approval], *, actor: Actor) -> None:
    for (subject_type, name), several in _by_action(approvals).items():
        makers = Counter(approval.maker_id for approval in several)
        # Of a batch with several makers, each approval itself tells on whose behalf it is.
        maker_id = next(iter(makers)) if len(makers) == 1 else None
        acting = actor if maker_id is None else actor.acting_for(maker_id)
        action_for(subject_type, name).bring_about(several, actor=acting)


def _tell_declined(approvals: Sequence[Approval], *, actor: Actor) -> None:
    for approval in approvals:
        action = action_for(approval.subject_type, approval.action)
        if action.declined is not None:
            action.declined(approval.subject_id, approval=approval, actor=actor)


def _about(approval: Approval) -> dict[str, Any]:
    return {
        "about_type": approval.subject_type,
        "about_id": approval.subject_id,
        "action": approval.action,
    }
