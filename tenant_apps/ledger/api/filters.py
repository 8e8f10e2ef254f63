"""What lists of the books can be narrowed to."""

from uuid import UUID

import django_filters as filters
from django.db.models import QuerySet

from tenant_apps.ledger.models import (
    Account,
    AccountKind,
    AccountStatus,
    CreditLine,
    CreditLineEntry,
    CreditLineEntryKind,
    CreditLineEntryQuerySet,
    FiscalPeriod,
    Hold,
    HoldQuerySet,
    HoldState,
    JournalMetadata,
    PeriodState,
    StatementLine,
    Transfer,
    TransferKind,
    TransferQuerySet,
)


class AccountFilter(filters.FilterSet):
    code = filters.CharFilter(max_length=32)
    kind = filters.ChoiceFilter(choices=AccountKind.choices)
    currency = filters.CharFilter(max_length=3)
    subledger_id = filters.UUIDFilter()
    parent = filters.UUIDFilter(field_name="parent_id")
    status = filters.ChoiceFilter(choices=AccountStatus.choices)
    is_chart_line = filters.BooleanFilter(field_name="currency", lookup_expr="isnull")

    class Meta:
        model = Account
        fields: tuple[str, ...] = ()


class TransferFilter(filters.FilterSet):
    account = filters.UUIDFilter(method="filter_account")
    journal = filters.UUIDFilter(method="filter_journal")
    source_type = filters.CharFilter(max_length=64)
    source_id = filters.UUIDFilter(method="filter_source")
    rule = filters.CharFilter(max_length=64)
    kind = filters.ChoiceFilter(choices=TransferKind.choices)
    currency = filters.CharFilter(max_length=3)
    effective_from = filters.DateFilter(field_name="effective_on", lookup_expr="gte")
    effective_to = filters.DateFilter(field_name="effective_on", lookup_expr="lte")

    class Meta:
        model = Transfer
        fields: tuple[str, ...] = ()

    def filter_account(
        self, transfers: TransferQuerySet, name: str, value: UUID
    ) -> QuerySet[Transfer]:
        return transfers.touching(value)

    def filter_journal(
        self, transfers: TransferQuerySet, name: str, value: UUID
    ) -> QuerySet[Transfer]:
        return transfers.of_journals([value])

    def filter_source(
        self, transfers: TransferQuerySet, name: str, value: UUID
    ) -> QuerySet[Transfer]:
        return transfers.of_source(value)


class JournalFilter(filters.FilterSet):
    source_type = filters.CharFilter(max_length=64)
    source_id = filters.UUIDFilter(method="filter_source")
    rule = filters.CharFilter(max_length=64)
    kind = filters.ChoiceFilter(choices=TransferKind.choices)
    effective_from = filters.DateFilter(field_name="effective_on", lookup_expr="gte")
    effective_to = filters.DateFilter(field_name="effective_on", lookup_expr="lte")
    metadata = filters.CharFilter(
        method="filter_metadata", max_length=600, help_text="`key:value` that was kept with it."
    )

    class Meta:
        model = Transfer
        fields: tuple[str, ...] = ()

    def filter_source(
        self, transfers: TransferQuerySet, name: str, value: UUID
    ) -> QuerySet[Transfer]:
        return transfers.of_source(value)

    def filter_metadata(
        self, transfers: TransferQuerySet, name: str, value: str
    ) -> QuerySet[Transfer]:
        key, _, wanted = value.partition(":")
        said = JournalMetadata.objects.saying(key=key, value=wanted)
        return transfers.filter(id__in=said.values("first_leg_id"))


class StatementFilter(filters.FilterSet):
    effective_from = filters.DateFilter(field_name="effective_on", lookup_expr="gte")
    effective_to = filters.DateFilter(field_name="effective_on", lookup_expr="lte")

    class Meta:
        model = StatementLine
        fields: tuple[str, ...] = ()


class FiscalPeriodFilter(filters.FilterSet):
    fiscal_year = filters.NumberFilter(decimal_places=0, min_value=1900, max_value=2200)
    state = filters.ChoiceFilter(choices=PeriodState.choices)

    class Meta:
        model = FiscalPeriod
        fields: tuple[str, ...] = ()


class HoldFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=HoldState.choices)
    account = filters.UUIDFilter(field_name="account_id")
    source_type = filters.CharFilter(max_length=64)
    source_id = filters.UUIDFilter(method="filter_source")

    class Meta:
        model = Hold
        fields: tuple[str, ...] = ()

    def filter_source(self, holds: HoldQuerySet, name: str, value: UUID) -> QuerySet[Hold]:
        return holds.of_source(value)


class CreditLineFilter(filters.FilterSet):
    subject_type = filters.CharFilter(max_length=64)
    subject_id = filters.UUIDFilter()
    currency = filters.CharFilter(max_length=3)

    class Meta:
        model = CreditLine
        fields: tuple[str, ...] = ()


class CreditLineEntryFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=CreditLineEntryKind.choices)
    source_type = filters.CharFilter(max_length=64)
    source_id = filters.UUIDFilter(method="filter_source")
    effective_from = filters.DateFilter(field_name="effective_on", lookup_expr="gte")
    effective_to = filters.DateFilter(field_name="effective_on", lookup_expr="lte")

    class Meta:
        model = CreditLineEntry
        fields: tuple[str, ...] = ()

    def filter_source(
        self, entries: CreditLineEntryQuerySet, name: str, value: UUID
    ) -> QuerySet[CreditLineEntry]:
        return entries.of_source(value)
