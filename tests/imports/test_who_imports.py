"""Who may import, and who verifies."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import AllowsNothing
from shared_apps.kernel.errors import Forbidden
from tenant_apps.deals.models import Deal
from tenant_apps.imports.errors import SourceUnreadable, VerifierUnknown
from tenant_apps.imports.models import ImportRun
from tenant_apps.payments.models import Payment
from tests.imports.books import (
    VERIFIER,
    checksums,
    codes,
    run_import,
)
from tests.people import make_person


class TestTheVerifier:
    def test_must_be_known(self, tenant: Any, folder: Path) -> None:
        with pytest.raises(VerifierUnknown):
            run_import(folder)
        assert not ImportRun.objects.exists()

    def test_must_be_active(self, verifier: User, folder: Path) -> None:
        User.objects.filter(pk=verifier.pk).update(is_active=False)
        with pytest.raises(VerifierUnknown):
            run_import(folder)

    def test_must_have_the_right(self, tenant: Any, folder: Path) -> None:
        make_person("Sally Seller", role="salesperson")
        with pytest.raises(Forbidden, match=r"payments\.verify_payment"):
            run_import(folder, verifier_email="sally.seller@acme.example")
        assert not ImportRun.objects.exists()
        assert not Deal.objects.exists()

    def test_does_not_verify_the_own_deals(self, tenant: Any, folder: Path) -> None:
        amara = make_person("Amara Okoro", role="verifier")
        User.objects.filter(pk=amara.pk).update(email="amara.okoro@acme.invalid")

        run = run_import(folder, verifier_email="amara.okoro@acme.invalid")

        assert ("W1", "payment_left_pending") in codes(folder)
        states = dict(Payment.objects.values_list("deal__external_reference", "state"))
        assert states == {"W1": "pending", "W2": "pending", "W3": "verified"}
        assert run.counts["refused"] == 0


class TestWhoAndWhat:
    def test_needs_the_right_to_import(self, verifier: User, folder: Path) -> None:
        nobody = replace(system_actor("test"), checker=AllowsNothing())
        with pytest.raises(Forbidden, match=r"imports\.add_importrun"):
            run_import(folder, actor=nobody)

    def test_writes_nothing_of_a_book_that_lacks_a_file(
        self, tenant: Any, verifier: User, folder: Path
    ) -> None:
        before = checksums(tenant.schema_name, without=())
        (folder / "sales_pipeline.csv").unlink()

        with pytest.raises(SourceUnreadable):
            run_import(folder)

        assert checksums(tenant.schema_name, without=()) == before

    def test_an_address_is_found_in_any_case(self, verifier: User, folder: Path) -> None:
        assert run_import(folder, verifier_email=VERIFIER.upper()).counts["recorded"] == 7
