"""Address, password and one-time code in one step: the console's sign-in.

Whoever guesses must not learn that the password alone was right. So whatever of the three is
wrong, the answer is one, the attempt counts the same, and the statements are as many: what a wrong
code writes to the person's device is written to nobody's.
"""

from __future__ import annotations

from django.db import transaction

from shared_apps.accounts import passwords
from shared_apps.accounts.errors import CredentialsRefused, NotEnrolled, TooManyAttempts
from shared_apps.accounts.models import User
from shared_apps.accounts.services.credentials import (
    Attempt,
    begin_attempt,
    forget_attempt,
    record_failure,
)
from shared_apps.accounts.services.second_factors import try_nothing, verify_code
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step


@step
def require_both_factors(*, email: str, password: str, code: str, actor: Actor) -> User:
    """The person whose address, password and one-time code these are.

    :raises CredentialsRefused: one of the three is wrong, or the person may not come in.
    :raises TooManyAttempts: too many attempts for this address or from this place.
    """
    attempt = begin_attempt(email=email, actor=actor)
    user = attempt.user
    is_right = passwords.is_right(user=user, password=password)
    person = user if user is not None and is_right and user.is_active else None
    with transaction.atomic():
        # A wrong code must be counted, so the refusal is raised after the commit.
        shows_code = _shows_code(person, code=code, attempt=attempt, actor=actor)
    if person is None or not shows_code:
        raise CredentialsRefused
    forget_attempt(attempt=attempt)
    return person


def _shows_code(person: User | None, *, code: str, attempt: Attempt, actor: Actor) -> bool:
    if person is not None:
        try:
            return verify_code(user=person, code=code, actor=actor.changed(user_id=person.pk))
        except (NotEnrolled, TooManyAttempts):
            # Its device waits after wrong codes, which only the password's owner could tell.
            pass
    try_nothing(code=code, has_looked=person is not None)
    record_failure(attempt=attempt, actor=actor)
    return False
