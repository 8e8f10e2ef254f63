"""Libraries that ask REST framework for the caller's address get no invention of the caller's."""

from rest_framework.test import APIRequestFactory
from rest_framework.throttling import BaseThrottle


def test_no_forwarded_address_is_trusted_without_a_proxy() -> None:
    request = APIRequestFactory().get("/", HTTP_X_FORWARDED_FOR="9.9.9.9", REMOTE_ADDR="10.0.0.1")
    assert BaseThrottle().get_ident(request) == "10.0.0.1"
