from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shared_apps.kernel.errors import DomainError
from shared_apps.onboarding.demo.making import make_demo


class Command(BaseCommand):
    help = "Makes the demo organization with an invented past of eighteen months."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.STATE_DIR / "demo.json"
        try:
            organization, deals = make_demo(logins_path=path)
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{organization.name}: {deals} deals; logins in {path}")
