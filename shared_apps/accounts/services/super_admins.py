"""Super-admins: people of the platform, in the public schema."""

from __future__ import annotations

from django.db import transaction

from shared_apps.accounts.errors import OnlyOnPlatform
from shared_apps.accounts.events import SuperAdminCreated
from shared_apps.accounts.services.people import create_user
from shared_apps.accounts.services.second_factors import TotpEnrolment, enrol_at_once
from shared_apps.audit.services import record
from shared_apps.kernel.actor import Actor
from tenants.context import on_platform


@transaction.atomic
def create_super_admin(
    *, email: str, full_name: str, password: str, actor: Actor
) -> tuple[TotpEnrolment, list[str]]:
    """Make a person of the platform with a confirmed second factor and recovery codes.

    :raises OnlyOnPlatform: an organization is being served.
    :raises EmailTaken: somebody of the platform has the address.
    :raises PasswordTooWeak: a validator refuses the password.
    """
    actor.require("accounts.add_user")
    if not on_platform():
        raise OnlyOnPlatform
    user = create_user(email=email, full_name=full_name, password=password, actor=actor)
    user.is_staff = True
    user.save(update_fields=["is_staff", "updated_at"])
    record(SuperAdminCreated(subject_id=user.id), actor=actor)
    return enrol_at_once(user_id=user.id, actor=actor)
