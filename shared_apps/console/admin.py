"""What super-admins see. Nothing is edited in place: acts are pages that ask for a reason."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.console.actors import super_admin
from shared_apps.console.forms import PlanForm, ReasonForm
from shared_apps.console.selectors import (
    invariants_of,
    quotas_of,
    undelivered_count,
    undelivered_of,
    watch_in_words,
)
from shared_apps.console.sites import site
from shared_apps.delivery.models import Mail
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.onboarding.models import SignUp
from shared_apps.onboarding.services import (
    change_plan,
    resume_organization,
    suspend_organization,
)
from shared_apps.plans.models import Plan
from tenant_apps.ledger.services import start_postings
from tenants.context import tenant_context
from tenants.models import Organization, OrganizationState, SpareSchema
from tenants.routing import routing_is_told
from tenants.routing_cache import LIFETIME_SECONDS

_NOT_TOLD = (
    "The servers could not be told at once, because Redis does not answer. It is tried again; until"
    f" then some may go by the former state, for {LIFETIME_SECONDS} seconds at most."
)


class ReadOnlyAdmin(ModelAdmin):
    """Rows are shown; services write them."""

    actions = None
    list_per_page = 25
    show_full_result_count = False
    list_fullwidth = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OrganizationAdmin(ReadOnlyAdmin):
    list_display = ("name", "addresses", "state_label", "plan_code", "usage", "watch", "created_at")
    list_filter = ("state", "plan_code")
    search_fields = ("name", "legal_name", "domains__domain")
    ordering = ("-created_at",)
    actions_detail: ClassVar[list[str]] = [
        "suspend",
        "resume",
        "change_plan_action",
        "show_mails",
        "show_invariants",
    ]
    fields = (
        "name",
        "legal_name",
        "addresses",
        "state_label",
        "plan_code",
        "usage",
        "undelivered",
        "watch",
        "trial_ends_on",
        "country",
        "tax_number",
        "base_currency",
        "time_zone",
        "created_at",
        "id",
        "schema_name",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("domains")

    @display(description="Addresses")
    def addresses(self, organization: Organization) -> str:
        return ", ".join(domain.domain for domain in organization.domains.all())  # type: ignore[attr-defined]

    @display(
        description="State",
        ordering="state",
        label={"Trial": "info", "Active": "success", "Suspended": "danger"},
    )
    def state_label(self, organization: Organization) -> str:
        return str(OrganizationState(organization.state).label)

    @display(description="Usage")
    def usage(self, organization: Organization) -> str:
        lines = [
            (use.name.replace("_", " "), use.used, "∞" if use.limit is None else use.limit)
            for use in quotas_of(organization)
        ]
        return format_html(
            "{}", ", ".join(f"{used} of {limit} {name}" for name, used, limit in lines)
        )

    @display(description="Mails that reached nobody")
    def undelivered(self, organization: Organization) -> int:
        return undelivered_count(organization)

    @display(description="Invariants")
    def watch(self, organization: Organization) -> str:
        return watch_in_words(organization)

    def get_urls(self) -> list[Any]:
        pages = [
            path(
                f"<uuid:organization_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"organization-{name}",
            )
            for name, view in (
                ("suspension", self.suspension_page),
                ("resumption", self.resumption_page),
                ("plan", self.plan_page),
                ("mails", self.mails_page),
                ("invariants", self.invariants_page),
                ("restart", self.restart_page),
            )
        ]
        return [*pages, *super().get_urls()]

    @action(description="Suspend", url_path="suspend")
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._to("suspension", object_id)

    @action(description="Resume", url_path="resume")
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._to("resumption", object_id)

    @action(description="Change plan", url_path="change-plan")
    def change_plan_action(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._to("plan", object_id)

    @action(description="Mails that reached nobody", url_path="show-mails")
    def show_mails(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._to("mails", object_id)

    @action(description="Invariants", url_path="show-invariants")
    def show_invariants(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._to("invariants", object_id)

    def _to(self, name: str, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"admin:organization-{name}", args=[object_id]))

    def suspension_page(self, request: HttpRequest, organization_id: UUID) -> HttpResponse:
        return self._page(
            request,
            organization_id,
            form_class=ReasonForm,
            title="Suspend",
            explanation="Its people, machines, tasks and sockets are refused from that moment."
            " Nothing is deleted. Only phone charge that was sent before is still asked about,"
            " until it is known what became of it.",
            act=lambda told, actor: suspend_organization(
                organization_id=organization_id, reason=told["reason"], actor=actor
            ),
        )

    def resumption_page(self, request: HttpRequest, organization_id: UUID) -> HttpResponse:
        return self._page(
            request,
            organization_id,
            form_class=ReasonForm,
            title="Resume",
            explanation="It is served again from that moment.",
            act=lambda told, actor: resume_organization(
                organization_id=organization_id, reason=told["reason"], actor=actor
            ),
        )

    def plan_page(self, request: HttpRequest, organization_id: UUID) -> HttpResponse:
        return self._page(
            request,
            organization_id,
            form_class=PlanForm,
            title="Change plan",
            explanation="What the organization has stays; the new quotas count from that moment.",
            act=lambda told, actor: change_plan(
                organization_id=organization_id,
                plan_code=told["plan"],
                reason=told["reason"],
                actor=actor,
            ),
        )

    def mails_page(self, request: HttpRequest, organization_id: UUID) -> HttpResponse:
        organization = self._found(organization_id)
        return TemplateResponse(
            request,
            "console/mails.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Mails that reached nobody: {organization.name}",
                "organization": organization,
                "columns": ("Written", "Mail", "To", "State", "Error"),
                "mails": undelivered_of(organization),
                "opts": self.model._meta,
            },
        )

    def invariants_page(self, request: HttpRequest, organization_id: UUID) -> HttpResponse:
        organization = self._found(organization_id)
        checks, stop = invariants_of(organization)
        return TemplateResponse(
            request,
            "console/invariants.html",
            {
                **self.admin_site.each_context(request),
                "title": f"Invariants: {organization.name}",
                "organization": organization,
                "columns": ("Invariant", "State", "Red since", "Checked (UTC)", "Findings"),
                "checks": checks,
                "stop": stop,
                "opts": self.model._meta,
            },
        )

    def restart_page(self, request: HttpRequest, organization_id: UUID) -> HttpResponse:
        return self._page(
            request,
            organization_id,
            form_class=ReasonForm,
            title="Start the books again",
            explanation="Once every invariant of the books is green, money is posted again from"
            " that moment.",
            act=lambda told, actor: self._restart(organization_id, told["reason"], actor),
        )

    def _restart(self, organization_id: UUID, reason: str, actor: Actor) -> Organization:
        organization = self._found(organization_id)
        with tenant_context(organization):
            start_postings(actor=actor, reason=reason)
        return organization

    def _found(self, organization_id: UUID) -> Organization:
        organization: Organization | None = Organization.objects.filter(id=organization_id).first()
        if organization is None:
            raise Http404
        return organization

    def _page(
        self,
        request: HttpRequest,
        organization_id: UUID,
        *,
        form_class: type[forms.Form],
        title: str,
        explanation: str,
        act: Callable[[dict[str, Any], Any], Organization],
    ) -> HttpResponse:
        organization = self._found(organization_id)
        form = form_class(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                act(form.cleaned_data, super_admin(request))
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                messages.success(request, f"{title}: {organization.name}. Done.")
                if not routing_is_told(organization_id=organization_id):
                    messages.warning(request, _NOT_TOLD)
                return HttpResponseRedirect(
                    reverse("admin:tenants_organization_change", args=[organization_id])
                )
        return TemplateResponse(
            request,
            "console/act.html",
            {
                **self.admin_site.each_context(request),
                "title": f"{title}: {organization.name}",
                "explanation": explanation,
                "organization": organization,
                "form": form,
                "button": title,
                "opts": self.model._meta,
            },
            status=422 if form.errors else 200,
        )


class PlanAdmin(ReadOnlyAdmin):
    list_display = ("name", "code", "quotas", "trial_days", "is_listed")


class SignUpAdmin(ReadOnlyAdmin):
    list_display = ("subdomain", "name", "admin_email", "state", "plan_code", "created_at")
    list_filter = ("state",)
    search_fields = ("subdomain", "name", "admin_email")
    ordering = ("-created_at",)
    exclude = ("password_hash", "token_hash")


class SpareSchemaAdmin(ReadOnlyAdmin):
    list_display = ("schema_name", "fingerprint", "created_at")


class SuperAdminAdmin(ReadOnlyAdmin):
    list_display = ("email", "full_name", "is_active", "second_factor_enrolled_at")
    fields = ("email", "full_name", "is_active", "second_factor_enrolled_at", "created_at")


class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("recorded_at", "event_name", "subject_type", "subject_id", "actor_label")
    list_filter = ("event_name",)
    ordering = ("-recorded_at", "-id")


class MailAdmin(ReadOnlyAdmin):
    """The platform's own mails. Those of an organization are shown beside it."""

    list_display = ("created_at", "template", "to", "state", "error")
    list_filter = ("state", "template")
    search_fields = ("to",)
    ordering = ("-created_at",)
    fields = ("template", "to", "state", "attempts", "error", "created_at", "sent_at")


site.register(Organization, OrganizationAdmin)
site.register(Plan, PlanAdmin)
site.register(SignUp, SignUpAdmin)
site.register(SpareSchema, SpareSchemaAdmin)
site.register(User, SuperAdminAdmin)
site.register(AuditEntry, AuditEntryAdmin)
site.register(Mail, MailAdmin)
