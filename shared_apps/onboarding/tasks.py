from celery import shared_task

from shared_apps.access.actors import system_actor
from shared_apps.onboarding.services import resume_sign_ups


@shared_task(platform=True)
def finish_sign_ups() -> None:
    """Finish what a crash or an empty pool left waiting."""
    resume_sign_ups(actor=system_actor("sign-up"))
