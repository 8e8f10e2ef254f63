"""A process of its own that refreshes a session: `python -m tests.accounts.refresher AT < token`.

It waits until the moment AT (Unix seconds), so that several of them meet, and prints the id of the
token it was given, or "refused".
"""

import os
import sys
import time


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from shared_apps.accounts import services
    from shared_apps.accounts.errors import RefreshRefused
    from shared_apps.kernel.actor import Actor
    from tenants.context import tenant_context
    from tenants.selectors import organization_by_subdomain

    token = sys.stdin.read().strip()
    with tenant_context(organization_by_subdomain("acme")):
        time.sleep(max(0.0, float(sys.argv[1]) - time.time()))
        try:
            answer = services.refresh_session(
                refresh_token=token, actor=Actor(request_id="test-process")
            )
        except RefreshRefused:
            sys.stdout.write("refused")
        else:
            sys.stdout.write(str(answer.session.current_token_id))


if __name__ == "__main__":
    main()
