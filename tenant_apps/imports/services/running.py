"""A whole import, from its first file to its report."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from django.db import connection, transaction

from shared_apps.accounts.models import User
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.imports.context import SOURCE, Book
from tenant_apps.imports.errors import ImportRunning, VerifierUnknown
from tenant_apps.imports.events import SalesBookImported
from tenant_apps.imports.findings import Report
from tenant_apps.imports.models import ImportFinding, ImportRun, ImportState
from tenant_apps.imports.sales_book import Finding
from tenant_apps.imports.services import deals
from tenant_apps.imports.services.catalogue import import_clients, import_products
from tenant_apps.imports.services.people import import_people
from tenants.context import current_organization

Progress = Callable[[str], None]


def import_sales_book(
    *,
    actor: Actor,
    verifier_email: str,
    verifier_actor: Callable[[User], Actor],
    directory: Path,
    mail_domain: str,
    report: Report,
    progress: Progress,
) -> ImportRun:
    """Read a CRM export and record what it tells, through the rules that hold for everybody.

    `verifier_actor` makes the actor of the person who verifies the payments, with the rights of
    this moment. The report lists every mended and refused row.

    :raises Forbidden: the actor may not import.
    :raises VerifierUnknown: nobody who may come in has the address.
    :raises ImportRunning: another import of this organization is under way.
    :raises SourceUnreadable: a file is missing or is not what it should be as a whole.
    """
    actor.require("imports.add_importrun")
    verifier: User | None = User.objects.active().with_email(verifier_email.lower()).first()
    if verifier is None:
        raise VerifierUnknown(f"Nobody who may come in has the address {verifier_email}.")
    quiet = replace(actor, quiet=True)
    with _alone():
        run = ImportRun.objects.create(
            source=SOURCE, verifier_id=verifier.pk, created_by_id=actor.user_id
        )
        book = Book(
            recorder=quiet,
            verifier=replace(verifier_actor(verifier), quiet=True),
            run=run,
            currency=current_organization().base_currency,
            mail_domain=mail_domain,
        )
        recorded, unchanged = 0, 0
        try:
            for each, part in (
                ("people and teams", import_people),
                ("clients", import_clients),
                ("products", import_products),
            ):
                progress(each)
                part(directory=directory, book=book)
                _keep(book, report)
            for batch in deals.batches_of(directory, book):
                with transaction.atomic():
                    done, stood = deals.import_batch(opportunities=batch, book=book)
                    _keep(book, report)
                recorded, unchanged = recorded + done, unchanged + stood
                progress(f"{recorded + unchanged:,} opportunities, {recorded:,} of them new")
            _keep(book, report)
        except BaseException:
            _finish(run, ImportState.STOPPED, report, recorded, unchanged)
            raise
        _finish(run, ImportState.FINISHED, report, recorded, unchanged)
        with transaction.atomic():
            audit.record(
                SalesBookImported(
                    subject_id=run.pk,
                    verifier_id=verifier.pk,
                    recorded=recorded,
                    unchanged=unchanged,
                    mended=report.counts["mended"],
                    refused=report.counts["refused"],
                ),
                actor=quiet,
            )
    return run


@contextmanager
def _alone() -> Iterator[None]:
    """One import at a time in an organization; the lock goes with the connection."""
    key = (zlib.crc32(b"imports"), zlib.crc32(current_organization().schema_name.encode()))
    signed = [value - 2**32 if value >= 2**31 else value for value in key]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", signed)
        if not cursor.fetchone()[0]:
            raise ImportRunning("Wait until it has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", signed)


def _keep(book: Book, report: Report) -> None:
    """Write the findings so far and forget them."""
    found: list[Finding] = book.found
    ImportFinding.objects.bulk_create(
        [
            ImportFinding(
                run=book.run,
                file_name=finding.file_name,
                line=finding.line,
                reference=finding.reference[:200],
                outcome=ImportFinding.Outcome.REFUSED
                if finding.is_refusal
                else ImportFinding.Outcome.MENDED,
                code=finding.code,
                detail=finding.detail[:500],
            )
            for finding in found
        ]
    )
    report.add(found)
    found.clear()


def _finish(
    run: ImportRun, state: ImportState, report: Report, recorded: int, unchanged: int
) -> None:
    run.state = state
    run.finished_at = clock.now()
    run.counts = {"recorded": recorded, "unchanged": unchanged, **report.counts}
    run.save(update_fields=["state", "finished_at", "counts", "updated_at"])
