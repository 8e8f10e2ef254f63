"""What can be approved: each app registers its subjects' actions at start-up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet

from shared_apps.access.rules import paths_of, value_at
from shared_apps.kernel.actor import Actor

from .models import Approval


class Effect(Protocol):
    """What the last signature brings about, in the same transaction."""

    def __call__(self, subject_id: UUID, *, approval: Approval, actor: Actor) -> None: ...


class EffectAll(Protocol):
    """The same for many approvals of one action at once."""

    def __call__(self, approvals: Sequence[Approval], *, actor: Actor) -> None: ...


Content = Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that is approved on one kind of subject.

    ``content`` gives what the signatures cover, as JSON values by field name. ``permission`` is
    what a signer holds on the subject. ``concerned`` names the people who may not sign beside
    the maker: whoever owns or created the subject, if nothing else is said. ``load`` may widen
    the query that reads subjects, so that many are read with their relations in one statement.
    ``declined`` is told when a request was rejected or recalled; its state says which.
    ``lock_above`` locks rows that stand before the subjects in their app's order of locks.
    """

    subject_type: str
    name: str
    content: Content
    permission: str
    effect: Effect | None = None
    effect_all: EffectAll | None = None
    declined: Effect | None = None
    concerned: Callable[[Any], Iterable[UUID | None]] | None = None
    load: Callable[[QuerySet[Any]], QuerySet[Any]] | None = None
    lock_above: Callable[[Collection[UUID]], Any] | None = None
    signatures: int = 1

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.subject_type)

    def subjects(self) -> QuerySet[Any]:
        """The query that reads this action's subjects."""
        rows: QuerySet[Any] = self.model._base_manager.all()
        return self.load(rows) if self.load else rows

    def people_concerned(self, subject: Any) -> set[UUID]:
        """Who may not sign for this subject, beside the maker."""
        if self.concerned is not None:
            named = self.concerned(subject)
        else:
            owner = paths_of(type(subject)).owner
            named = (
                getattr(subject, "created_by_id", None),
                value_at(subject, owner) if owner else None,
            )
        return {user_id for user_id in named if user_id is not None}

    def bring_about(self, approvals: Sequence[Approval], *, actor: Actor) -> None:
        """Call the effect for approvals that have all their signatures."""
        if self.effect_all is not None:
            self.effect_all(approvals, actor=actor)
            return
        assert self.effect is not None
        for approval in approvals:
            self.effect(approval.subject_id, approval=approval, actor=actor)


_actions: dict[tuple[str, str], Action] = {}


def register(
    subject_type: str,
    action: str,
    *,
    content: Content,
    permission: str,
    effect: Effect | None = None,
    effect_all: EffectAll | None = None,
    declined: Effect | None = None,
    concerned: Callable[[Any], Iterable[UUID | None]] | None = None,
    load: Callable[[QuerySet[Any]], QuerySet[Any]] | None = None,
    lock_above: Callable[[Collection[UUID]], Any] | None = None,
    signatures: int = 1,
) -> None:
    """Register an action such as ("payments.payment", "verify"). See ``Action``.

    Give ``effect`` for one subject at a time or ``effect_all`` for many at once; with both, the
    latter is called. The actor that they receive is the last signer on behalf of the maker.

    :raises ImproperlyConfigured: neither effect was given, or the action is registered already.
    """
    if effect is None and effect_all is None:
        raise ImproperlyConfigured(f"{subject_type} {action}: an approval must bring something.")
    key = (subject_type.lower(), action)
    registered = Action(
        subject_type=key[0],
        name=action,
        content=content,
        permission=permission,
        effect=effect,
        effect_all=effect_all,
        declined=declined,
        concerned=concerned,
        load=load,
        lock_above=lock_above,
        signatures=signatures,
    )
    if key in _actions and _actions[key] != registered:
        raise ImproperlyConfigured(f"{subject_type} {action} is registered twice.")
    _actions[key] = registered


def action_for(subject_type: str, action: str) -> Action:
    """The registered action.

    :raises ImproperlyConfigured: nobody registered it.
    """
    try:
        return _actions[(subject_type.lower(), action)]
    except KeyError:
        raise ImproperlyConfigured(f"{subject_type} has no action {action!r}.") from None


def unregister(subject_type: str, action: str) -> None:
    """Forget an action; for tests that register one of their own."""
    _actions.pop((subject_type.lower(), action), None)
