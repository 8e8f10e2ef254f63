"""People for tests."""

from shared_apps.accounts import services
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor, AllowsEverything

PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "an entirely different sentence"


def make_user(email: str, full_name: str = "Some Body") -> User:
    actor = Actor(request_id="test-people", label="system:test", checker=AllowsEverything())
    return services.create_user(email=email, full_name=full_name, password=PASSWORD, actor=actor)
