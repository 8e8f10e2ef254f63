"""Every list of the router: as many statements for one row as for twenty, in bounded pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from shared_apps.kernel.api.pagination import MAX_PAGE_SIZE
from shared_apps.kernel.api.throttling import RateLimit
from tests.attacks.crowd import FIXED, LISTS, Crowd
from tests.cast import Caller


def lists(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from lists(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            actions = getattr(pattern.callback, "actions", None) or {}
            # Without pages stand those few that are bounded by what they are about.
            paged = getattr(getattr(pattern.callback, "cls", None), "pagination_class", None)
            if actions.get("get") == "list" and paged:
                yield address.removeprefix("api/v1/")


class Reader:
    """Reads one list as whoever may see all of the crowd."""

    def __init__(self, caller: Caller, path: str) -> None:
        self.caller = caller
        self.path = path

    def ask(self, query: str) -> Any:
        return self.caller.get(f"{self.path}{'&' if '?' in self.path else '?'}{query}")

    def rows(self, size: int) -> tuple[int, list[str]]:
        """How many rows a page of the size shows, and the statements that it took."""
        answer = self.ask(f"page_size={size}")
        assert answer.status_code == 200, (self.path, answer.json())
        return len(answer.json()["results"]), self.caller.statements


@pytest.fixture
def readers(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Reader]:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    crowd = Crowd()
    # Sessions, which have a list of their own.
    for _ in range(20):
        crowd.cast.api("ada")
    callers = {name: crowd.cast.api(name) for name in ("ada", "sam", "vera", "olga")}
    found = {}
    for route, reader in LISTS.items():
        name, path = reader(crowd)
        found[route] = Reader(callers[name], path)
    return found


def test_every_list_of_the_router_is_tried() -> None:
    routed = set(lists(get_resolver("config.urls_tenant").url_patterns))
    assert routed - LISTS.keys() == set(), "lists without rows to try them with"
    assert LISTS.keys() - routed == set(), "rows for lists that do not exist"


def test_lists(readers: dict[str, Reader]) -> None:
    """One crowd for all: it is long in the making."""
    wrong = []
    for route, reader in readers.items():
        # What is cached for later requests is read by the first.
        reader.rows(1)
        one, few = reader.rows(1)
        twenty, many = reader.rows(20)
        if one != 1 or (twenty != 20 and route not in FIXED):
            wrong.append(f"{route} shows {one} and {twenty} rows, not 1 and 20")
        if len(few) != len(many):
            more = [sql for sql in many if many.count(sql) != few.count(sql)]
            wrong.append(f"{route}: {len(few)} statements, then {len(many)}: {more[:3]}")
        wrong += [f"{route}: {fault}" for fault in faults_of_pages(reader)]
    assert wrong == [], "\n".join(wrong)


def faults_of_pages(reader: Reader) -> Iterator[str]:
    first = reader.ask("page_size=3").json()
    following = urlsplit(first["next"])
    second = reader.caller.get(f"{following.path}?{following.query}")
    if second.status_code != 200:
        yield f"its next page answers {second.status_code}"
    else:
        shown = [row for page in (first, second.json()) for row in page["results"]]
        if len({repr(row) for row in shown}) != len(shown):
            yield "its second page repeats the first"
        if not second.json()["previous"]:
            yield "its second page has no way back"
    for query in (
        "page_size=0",
        f"page_size={MAX_PAGE_SIZE + 1}",
        "page_size=x",
        "surprise=1",
        "cursor=x",
        "cursor=",
        f"{following.query.split('&')[0]}x",
        "ordering=password",
        "limit=5",
        "offset=5",
        "format=api",
    ):
        status = reader.ask(query).status_code
        if status != 400:
            yield f"?{query} answers {status}"
    if reader.ask(f"page_size={MAX_PAGE_SIZE}").status_code != 200:
        yield "the largest page is refused"
