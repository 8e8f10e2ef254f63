"""Signing organizations up, and their life afterwards."""

from .addresses import move_domain, remove_domain
from .lifecycle import change_plan, resume_organization, suspend_organization
from .provisioning import (
    provision,
    provision_for_visitor,
    provision_organization,
    resume_sign_ups,
)
from .sign_up import SignUpFacts, request_sign_up, verify_sign_up

__all__ = [
    "SignUpFacts",
    "change_plan",
    "move_domain",
    "provision",
    "provision_for_visitor",
    "provision_organization",
    "remove_domain",
    "request_sign_up",
    "resume_organization",
    "resume_sign_ups",
    "suspend_organization",
    "verify_sign_up",
]
