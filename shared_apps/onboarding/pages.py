"""The page behind the link in the mail: it works without script, and asks before it acts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.actors import visitor
from shared_apps.kernel.errors import DomainError
from shared_apps.onboarding import services


def _unseen(response: HttpResponse) -> HttpResponse:
    """The address holds a secret, and so may the page: neither goes on, nor is it kept."""
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "POST"])
def verification_page(request: HttpRequest) -> HttpResponse:
    """Show a button (mail scanners follow links; they do not press buttons), then make the
    organization and say where it is."""
    if request.method == "GET":
        token = request.GET.get("token", "")[:200]
        return _unseen(render(request, "onboarding/verification.html", {"token": token}))
    actor = visitor(request)
    token = request.POST.get("token", "")[:200]
    password = request.POST.get("password", "")[:200]
    subdomain = request.POST.get("subdomain", "")[:63].strip().lower()
    # A page shows what an API answers with a status: the one place where an expected failure is
    # caught outside the API's translation.
    try:
        sign_up = services.verify_sign_up(
            token=token, password=password, subdomain=subdomain, actor=actor
        )
        landing = services.provision_for_visitor(sign_up_id=sign_up.id, actor=actor)
    except DomainError as error:
        response = render(
            request,
            "onboarding/verification.html",
            {"token": token, "error": error},
            status=error.status,
        )
        if error.retry_after:
            response["Retry-After"] = str(error.retry_after)
        return _unseen(response)
    return _unseen(render(request, "onboarding/ready.html", {"landing": landing}))
