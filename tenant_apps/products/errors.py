"""What can go wrong with products and tax rates, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import BadInput, Conflict, RuleRefused


class NegativePrice(BadInput):
    code = "negative_price"
    title = "A price is not below zero."


class UnknownTaxRate(BadInput):
    code = "unknown_tax_rate"
    title = "There is no such active tax rate."


class ProductCodeTaken(Conflict):
    code = "product_code_taken"
    title = "Another product has this code."


class TaxCodeTaken(Conflict):
    code = "tax_code_taken"
    title = "Another tax rate has this code."


class PercentDoesNotFitCategory(RuleRefused):
    """Only the standard category carries a percent above zero."""

    code = "percent_does_not_fit_category"
    title = "This tax category does not carry this percent."


class DefaultRateMustBeActive(RuleRefused):
    code = "default_rate_must_be_active"
    title = "The default tax rate must be an active one."


class NoDefaultTaxRate(RuleRefused):
    code = "no_default_tax_rate"
    title = "The organization has no default tax rate."
