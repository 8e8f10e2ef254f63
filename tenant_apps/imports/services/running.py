"""A whole import, from its first file to its report."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from django.db import transaction

from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.transactions import retrying
from tenant_apps.imports.context import SOURCE, Book, Place
from tenant_apps.imports.errors import ImportRunning, VerifierUnknown
from tenant_apps.imports.events import SalesBookImported
from tenant_apps.imports.findings import write_report
from tenant_apps.imports.models import ImportFinding, ImportRun, ImportState
from tenant_apps.imports.rows import batches_of
from tenant_apps.imports.sales_book import check_files
from tenant_apps.imports.selectors import findings_of
from tenant_apps.imports.services import deals
from tenant_apps.imports.services.catalogue import import_clients, import_products
from tenant_apps.imports.services.people import import_people
from tenants.context import current_organization
from tenants.locks import alone_for_a_while

Progress = Callable[[str], None]
Answer = TypeVar("Answer")


def import_sales_book(
    *,
    actor: Actor,
    verifier_email: str,
    verifier_actor: Callable[[User], Actor],
    directory: Path,
    mail_domain: str,
    report: Path,
    progress: Progress,
) -> ImportRun:
    """Read a CRM export and record what it tells, through the rules that hold for everybody.

    `verifier_actor` makes the actor of the person who verifies the payments, with the rights of
    this moment. `report` is where every mended and refused row is listed; an import that goes on
    where another was stopped lists what that one found as well.

    :raises Forbidden: the actor may not import, or the verifier may not verify.
    :raises VerifierUnknown: nobody who may come in has the address.
    :raises ImportRunning: another import of this organization is under way.
    :raises SourceUnreadable: a file is missing or is not what it should be as a whole; nothing
        was written.
    """
    actor.require("imports.add_importrun")
    user: User | None = User.objects.active().with_email(verifier_email.lower()).first()
    if user is None:
        raise VerifierUnknown(f"Nobody who may come in has the address {verifier_email}.")
    verifier = verifier_actor(user)
    verifier.require("payments.verify_payment")
    check_files(directory=directory)
    with _alone():
        run = _begin(actor, verifier=user)
        organization = current_organization()
        book = Book(
            recorder=replace(actor, quiet=True),
            verifier=replace(verifier, quiet=True),
            run=run,
            currency=organization.base_currency,
            today=clock.today(organization.time_zone),
            mail_domain=mail_domain,
            home=Place(user.pk, root_unit().pk),
        )
        counts: Counter[str] = Counter(recorded=0, unchanged=0, mended=0, refused=0)
        try:
            _read(directory, book, counts, progress)
        except BaseException:
            _finish(book, ImportState.STOPPED, counts)
            raise
        finally:
            write_report(path=report, findings=findings_of(run=run))
        _finish(book, ImportState.FINISHED, counts)
    return run


def _begin(actor: Actor, *, verifier: User) -> ImportRun:
    # Whoever holds the lock is alone: a run that is marked as running was killed.
    ImportRun.objects.filter(source=SOURCE, state=ImportState.RUNNING).update(
        state=ImportState.STOPPED, updated_at=clock.now()
    )
    return ImportRun.objects.create(
        source=SOURCE, verifier_id=verifier.pk, created_by_id=actor.user_id
    )


def _read(directory: Path, book: Book, counts: Counter[str], progress: Progress) -> None:
    for name, part in (
        ("people and teams", import_people),
        ("clients", import_clients),
        ("products", import_products),
    ):
        progress(name)
        _, found = _whole(book, partial(part, directory=directory, book=book))
        counts.update(found)
    for batch in batches_of(directory=directory, book=book):
        (recorded, unchanged), found = _whole(
            book, partial(deals.import_batch, opportunities=batch, book=book)
        )
        counts.update(found, recorded=recorded, unchanged=unchanged)
        read = counts["recorded"] + counts["unchanged"]
        progress(f"{read:,} opportunities, {counts['recorded']:,} of them new")
    counts.update(_keep(book))


def _whole(book: Book, part: Callable[[], Answer]) -> tuple[Answer, Counter[str]]:
    """What a part answers and how many findings it kept: in one transaction, begun anew when it
    collides with people at work."""

    @transaction.atomic
    def transact() -> tuple[Answer, Counter[str]]:
        return part(), _keep(book)

    return retrying(transact, rewind=book.bookmark())


@contextmanager
def _alone() -> Iterator[None]:
    """One import at a time in an organization; the lock goes with the connection."""
    with alone_for_a_while("imports") as is_mine:
        if not is_mine:
            raise ImportRunning("Wait until it has ended.")
        yield


def _keep(book: Book) -> Counter[str]:
    """Write the findings so far and forget them; says how many of each kind there were."""
    rows = [
        ImportFinding(
            run=book.run,
            file_name=found.file_name,
            line=found.line,
            reference=found.reference[:200],
            outcome=ImportFinding.Outcome.REFUSED
            if found.is_refusal
            else ImportFinding.Outcome.MENDED,
            code=found.code,
            detail=found.detail[:500],
        )
        for found in book.found
    ]
    ImportFinding.objects.bulk_create(rows)
    book.found.clear()
    return Counter(str(row.outcome) for row in rows)


@transaction.atomic
def _finish(book: Book, state: ImportState, counts: Counter[str]) -> None:
    run = book.run
    run.state = state
    run.finished_at = clock.now()
    run.counts = dict(counts)
    run.save(update_fields=["state", "finished_at", "counts", "updated_at"])
    if state == ImportState.FINISHED:
        event = SalesBookImported(subject_id=run.pk, verifier_id=run.verifier_id, **counts)
        audit.record(event, actor=book.recorder)
