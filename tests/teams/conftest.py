from tests.access.conftest import admin, lead, north, outsider, salesperson, south, supervisor

__all__ = ["admin", "lead", "north", "outsider", "salesperson", "south", "supervisor"]
