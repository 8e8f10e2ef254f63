from tenants.management.closed import ClosedCommand as Command

__all__ = ["Command"]
