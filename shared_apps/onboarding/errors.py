from typing import Self

from shared_apps.kernel.errors import (
    BadInput,
    Conflict,
    DependencyDown,
    FieldError,
    Forbidden,
    NotFound,
    RuleRefused,
)


class SubdomainRefused(BadInput):
    code = "subdomain_refused"
    title = "The subdomain cannot be used"

    @classmethod
    def of(cls, detail: str) -> Self:
        return cls(
            detail, errors=[FieldError.at("subdomain", detail=detail, code="subdomain_refused")]
        )


class SubdomainTaken(Conflict):
    code = "subdomain_taken"
    title = "The subdomain belongs to somebody else"

    @classmethod
    def of(cls, subdomain: str) -> Self:
        detail = f"{subdomain} is taken, or looks like one that is. Choose another."
        return cls(
            detail, errors=[FieldError.at("subdomain", detail=detail, code="subdomain_taken")]
        )


class SignUpLinkRefused(NotFound):
    code = "sign_up_link_refused"
    title = "The link is not valid"


class SignUpLinkExpired(RuleRefused):
    code = "sign_up_link_expired"
    title = "The link has expired"


class OrganizationInPreparation(DependencyDown):
    """Verified, and waiting for a schema: it is made in the background."""

    code = "organization_in_preparation"
    title = "The organization is being prepared"


class OrganizationStateUnchanged(Conflict):
    code = "organization_state_unchanged"
    title = "The organization is in this state already"


class SignUpPasswordWrong(Forbidden):
    code = "sign_up_password_wrong"
    title = "This is not the password of the sign-up"


class NoSuchHost(NotFound):
    code = "no_such_host"
    title = "The host name leads nowhere"
