"""The only writer of import runs and findings; the rest goes through the owners' services."""

from .running import import_sales_book

__all__ = ["import_sales_book"]
