"""A verifier approves invoices ..."""

from typing import Any

import pytest

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound
from tenant_apps.invoices import errors
from tenant_apps.invoices.models import Invoice, InvoiceApproval
from tenant_apps.invoices.services import approve_invoices
from tests.cast import Cast
from tests.invoices.test_record_allocations import an_invoice


def test_with_name_time_and_words(cast: Cast) -> None:
    invoice = an_invoice(cast)

    [approval] = approve_invoices(
        actor=cast.actor("vera"), invoice_ids=[invoice.pk], comment="Looks right"
    )

    assert (approval.invoice_id, approval.comment) == (invoice.pk, "Looks right")
    assert approval.created_by_id == cast.user("vera").pk
    assert AuditEntry.objects.filter(event_name="invoices.invoice_approved").count() == 1
    rows: Any = Invoice.objects.all().with_approval()
    assert rows.get().is_approved


def test_once(cast: Cast) -> None:
    invoice = an_invoice(cast)
    approve_invoices(actor=cast.actor("vera"), invoice_ids=[invoice.pk])

    with pytest.raises(errors.AlreadyApproved):
        approve_invoices(actor=cast.actor("vera"), invoice_ids=[invoice.pk])

    assert InvoiceApproval.objects.count() == 1


def test_all_or_none_of_a_batch(cast: Cast) -> None:
    one, other = an_invoice(cast), an_invoice(cast)
    approve_invoices(actor=cast.actor("vera"), invoice_ids=[one.pk])

    with pytest.raises(errors.AlreadyApproved):
        approve_invoices(actor=cast.actor("vera"), invoice_ids=[other.pk, one.pk])

    assert InvoiceApproval.objects.get().invoice_id == one.pk


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("olga", Forbidden),
        ("lea", Forbidden),
        ("sam", Forbidden),
        ("ada", Forbidden),
        ("paul", NotFound),
        ("oscar", NotFound),
    ],
)
def test_nobody_else_does(cast: Cast, name: str, error: type[Exception]) -> None:
    invoice = an_invoice(cast)

    with pytest.raises(error):
        approve_invoices(actor=cast.actor(name), invoice_ids=[invoice.pk])

    assert not InvoiceApproval.objects.exists()


def test_never_one_of_their_own(cast: Cast) -> None:
    # A verifier who also sells in the north.
    from shared_apps.access.services import place_member

    place_member(
        actor=cast.system,
        user_id=cast.user("vera").pk,
        unit=cast.units["north"],
        role="salesperson",
    )
    invoice = an_invoice(cast, owner="vera")

    with pytest.raises(errors.MakerCannotApprove):
        approve_invoices(actor=cast.actor("vera"), invoice_ids=[invoice.pk])

    assert not InvoiceApproval.objects.exists()
