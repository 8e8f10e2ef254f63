"""Every cache key carries the organization's id, so that no value is ever shared by two."""

from tenants.context import tenant_marker


def organization_key(key: str, key_prefix: str, version: int) -> str:
    """The KEY_FUNCTION of the default cache.

    :raises NoTenant: neither an organization nor the platform was chosen.
    """
    return f"{key_prefix}:{version}:{tenant_marker()}:{key}"
