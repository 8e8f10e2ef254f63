"""Make a super-admin of the platform, with a second factor, and print what they need once."""

from __future__ import annotations

import getpass
import io
import os
from argparse import ArgumentParser
from typing import Any

import qrcode
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from shared_apps.accounts import services
from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid7
from tenants.context import platform_context

PASSWORD_VARIABLE = "SUPER_ADMIN_PASSWORD"  # noqa: S105  (the name of a variable)


class Command(BaseCommand):
    help = "Make a super-admin of the platform and enrol a second factor."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", default="Super Admin", help="the full name")
        parser.add_argument(
            "--no-input",
            action="store_true",
            help=f"take the password from {PASSWORD_VARIABLE} instead of asking",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email} is no e-mail address") from None
        password = self._password(asks=not options["no_input"])
        actor = Actor(
            request_id=str(uuid7()),
            label="system:create_super_admin",
            checker=AllowsEverything(),
        )
        try:
            with platform_context(reason="make a super-admin"):
                enrolment, codes = services.create_super_admin(
                    email=email, full_name=options["name"], password=password, actor=actor
                )
        except DomainError as error:
            raise CommandError(str(error)) from None
        self._print(email, enrolment, codes)

    def _password(self, *, asks: bool) -> str:
        if not asks:
            password = os.environ.get(PASSWORD_VARIABLE, "")
            if not password:
                raise CommandError(f"{PASSWORD_VARIABLE} is not set")
            return password
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise CommandError("The two are different.")
        return password

    def _print(self, email: str, enrolment: services.TotpEnrolment, codes: list[str]) -> None:
        self.stdout.write(f"{email} is a super-admin now.\n")
        self.stdout.write("Scan this with an authenticator; it is shown this once:\n")
        code = qrcode.QRCode(border=2)
        code.add_data(enrolment.address)
        # In one piece: the command's stream ends every write with a line of its own.
        drawn = io.StringIO()
        code.print_ascii(out=drawn, invert=True)
        self.stdout.write(drawn.getvalue())
        self.stdout.write(f"Secret:  {enrolment.secret}\n")
        self.stdout.write(f"Address: {enrolment.address}\n")
        self.stdout.write("Recovery codes, each good once:\n")
        for one in codes:
            self.stdout.write(f"  {one}\n")
