"""Role by endpoint by method: what each route of an organization's API answers to whom.

The table is read against "who does what". A route that stands in the router and not here fails,
and so does one that stands here and not in the router. Each answer also keeps to the OpenAPI
document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from django.views.generic import RedirectView

from shared_apps.kernel.api.throttling import RateLimit
from tests.access.documented import Documented
from tests.access.matrix_requests import QUERIES, UPLOADS
from tests.access.matrix_world import COLUMNS, World

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SIGNS = {302: ">", 400: "b", 401: "1", 403: "3", 404: "4", 405: "x", 409: "c", 412: "p", 422: "r"}

# Columns as in COLUMNS: admin, supervisor, verifier, the team's lead, the owner, a colleague of the
# team, a salesperson of another team, somebody without a role, somebody not signed in.
#
# + done or shown            3 visible but forbidden   4 not visible   1 not signed in
# > shows the way elsewhere
# b the input itself is refused (a stranger's id in a body, a wrong code, a missing signature)
# c the state is refused, r a rule refuses: the right was there, and nothing happened
TABLE = """
POST   api/auth/login/                                      bbbbbbbbb
POST   api/auth/logout/                                     ++++++++1
POST   api/auth/password/change/                            bbbbbbbb1
POST   api/auth/password/reset/                             bbbbbbbbb
POST   api/auth/password/reset/confirm/                     bbbbbbbbb
GET    api/auth/user/                                       ++++++++1
GET    api/schema/                                          +++++++++
POST   api/token/                                           bbbbbbbbb
POST   api/token/blacklist/                                 bbbbbbbbb
POST   api/token/refresh/                                   bbbbbbbbb
GET    api/v1/api-keys/                                     ++++++++1
POST   api/v1/api-keys/                                     +33333331
GET    api/v1/api-keys/<uuid:pk>/                           +44+44441
DELETE api/v1/api-keys/<uuid:pk>/                           +44+44441
POST   api/v1/api-keys/<uuid:pk>/rotation/                  333333331
GET    api/v1/approvals/                                    ++++++++1
GET    api/v1/approvals/<uuid:pk>/                          +++++4441
POST   api/v1/approvals/<uuid:pk>/recall/                   3333+4441
POST   api/v1/approvals/<uuid:pk>/rejection/                33+334441
POST   api/v1/approvals/<uuid:pk>/signature/                33+334441
GET    api/v1/audit-entries/                                +33333331
GET    api/v1/audit-entries/<uuid:pk>/                      +33333331
GET    api/v1/charge-batches/                               ++++++++1
POST   api/v1/charge-batches/                               33bbbbbb1
GET    api/v1/charge-batches/<uuid:batch_id>/rows/          ++4444441
GET    api/v1/charge-batches/<uuid:pk>/                     ++4444441
POST   api/v1/charge-callbacks/                             111111111
GET    api/v1/charge-reconciliations/                       ++3333331
POST   api/v1/charge-reconciliations/                       333333331
GET    api/v1/charge-reconciliations/<uuid:file_id>/rows/   ++3333331
GET    api/v1/charge-reconciliations/<uuid:pk>/             ++3333331
GET    api/v1/charge-refunds/                               ++++++++1
POST   api/v1/charge-refunds/                               33bbbbbb1
GET    api/v1/charge-refunds/<uuid:pk>/                     ++4444441
POST   api/v1/charge-refunds/<uuid:pk>/approval/            334444441
POST   api/v1/charge-refunds/<uuid:pk>/denial/              334444441
POST   api/v1/charge-refunds/<uuid:pk>/withdrawal/          334444441
GET    api/v1/charge-sales/                                 ++++++++1
POST   api/v1/charge-sales/                                 33bbbbbb1
GET    api/v1/charge-sales/<uuid:pk>/                       ++4444441
GET    api/v1/clients/                                      +++++++31
POST   api/v1/clients/                                      3+3++++31
GET    api/v1/clients/<uuid:client_id>/contacts/            +++++++31
POST   api/v1/clients/<uuid:client_id>/contacts/            3+3++3331
GET    api/v1/clients/<uuid:client_id>/contacts/<uuid:pk>/  +++++++31
PATCH  api/v1/clients/<uuid:client_id>/contacts/<uuid:pk>/  3+3++3331
DELETE api/v1/clients/<uuid:client_id>/contacts/<uuid:pk>/  3+3++3331
GET    api/v1/clients/<uuid:client_id>/credit-limits/       +++++++31
POST   api/v1/clients/<uuid:client_id>/credit-limits/       ++3333331
GET    api/v1/clients/<uuid:client_id>/credit-limits/<uuid:pk>/ +++++++31
GET    api/v1/clients/<uuid:client_id>/credit-positions/    +++++++31
GET    api/v1/clients/<uuid:pk>/                            +++++++31
PATCH  api/v1/clients/<uuid:pk>/                            3+3++3331
GET    api/v1/commission-plans/                             ++++++++1
POST   api/v1/commission-plans/                             +33333331
GET    api/v1/commission-plans/<uuid:pk>/                   ++4++++41
GET    api/v1/commissions/                                  ++++++++1
GET    api/v1/commissions/<uuid:pk>/                        ++4++4441
GET    api/v1/commissions/<uuid:pk>/explanation/            ++4++4441
GET    api/v1/credit-limit-overrides/                       +++++++31
POST   api/v1/credit-limit-overrides/                       ++3++++31
GET    api/v1/credit-limit-overrides/<uuid:pk>/             +++++4431
GET    api/v1/credit-overruns/                              +++333331
GET    api/v1/credit-overruns/<uuid:pk>/                    +++333331
GET    api/v1/dashboards/figures/                           ++3333331
GET    api/v1/dashboards/sales/                             ++3++++31
GET    api/v1/dashboards/summary/                           ++3333331
GET    api/v1/dashboards/verification/                      +++333331
GET    api/v1/deals/                                        ++++++++1
POST   api/v1/deals/                                        3+3++++31
GET    api/v1/deals/<uuid:deal_id>/activities/              +++++4441
POST   api/v1/deals/<uuid:deal_id>/activities/              3+3++4441
GET    api/v1/deals/<uuid:deal_id>/activities/<uuid:pk>/    +++++4441
GET    api/v1/deals/<uuid:deal_id>/history/                 +++++4441
GET    api/v1/deals/<uuid:deal_id>/stage-changes/           +++++4441
POST   api/v1/deals/<uuid:deal_id>/stage-changes/           3+3++4441
GET    api/v1/deals/<uuid:deal_id>/stage-changes/<uuid:pk>/ +++++4441
GET    api/v1/deals/<uuid:pk>/                              +++++4441
PATCH  api/v1/deals/<uuid:pk>/                              3+3++4441
POST   api/v1/deals/<uuid:pk>/assignment/                   3+3+34441
GET    api/v1/deposit-requests/                             ++++++++1
POST   api/v1/deposit-requests/                             33bbbbbb1
GET    api/v1/deposit-requests/<uuid:pk>/                   ++4444441
POST   api/v1/deposit-requests/<uuid:pk>/approval/          334444441
POST   api/v1/deposit-requests/<uuid:pk>/denial/            334444441
POST   api/v1/deposit-requests/<uuid:pk>/proof/             334444441
POST   api/v1/deposit-requests/<uuid:pk>/withdrawal/        334444441
GET    api/v1/documents/<uuid:document_id>/content/         bbbbbbbbb
GET    api/v1/field-history/                                +33333331
GET    api/v1/invariants/                                   +33333331
GET    api/v1/invariants/alarms/                            +33333331
POST   api/v1/invitations/                                  +33+33331
POST   api/v1/invitations/<uuid:pk>/resending/              +33+44441
POST   api/v1/invitations/<uuid:pk>/withdrawal/             +33+44441
POST   api/v1/invitations/acceptance/                       bbbbbbbbb
GET    api/v1/invoice-series/                               +++333331
GET    api/v1/invoice-series/<uuid:pk>/                     +++333331
PATCH  api/v1/invoice-series/<uuid:pk>/                     +33333331
GET    api/v1/invoices/                                     ++++++++1
GET    api/v1/invoices/<uuid:pk>/                           +++++4441
POST   api/v1/invoices/<uuid:pk>/approval/                  33+334441
GET    api/v1/invoices/<uuid:pk>/pdf/                       +++++4441
GET    api/v1/ledger/accounts/                              ++3333331
POST   api/v1/ledger/accounts/                              +33333331
GET    api/v1/ledger/accounts/<uuid:account_id>/statement/  ++3333331
GET    api/v1/ledger/accounts/<uuid:pk>/                    ++3333331
POST   api/v1/ledger/accounts/<uuid:pk>/closing/            +33333331
POST   api/v1/ledger/accounts/<uuid:pk>/deferral/           +33333331
POST   api/v1/ledger/accounts/<uuid:pk>/reopening/          c33333331
POST   api/v1/ledger/accounts/<uuid:pk>/striping/           +33333331
GET    api/v1/ledger/credit-lines/                          ++3333331
GET    api/v1/ledger/credit-lines/<uuid:line_id>/entries/   ++3333331
GET    api/v1/ledger/credit-lines/<uuid:pk>/                ++3333331
POST   api/v1/ledger/currency-exchanges/                    +33333331
POST   api/v1/ledger/fiscal-years/                          +33333331
GET    api/v1/ledger/holds/                                 ++3333331
GET    api/v1/ledger/holds/<uuid:hold_id>/entries/          ++3333331
GET    api/v1/ledger/holds/<uuid:pk>/                       ++3333331
GET    api/v1/ledger/journals/                              ++3333331
POST   api/v1/ledger/journals/                              +33333331
GET    api/v1/ledger/journals/<uuid:pk>/                    ++3333331
POST   api/v1/ledger/journals/<uuid:pk>/reversal/           r33333331
POST   api/v1/ledger/opening-balances/                      +33333331
GET    api/v1/ledger/periods/                               ++3333331
GET    api/v1/ledger/periods/<uuid:pk>/                     ++3333331
POST   api/v1/ledger/periods/<uuid:pk>/closing/             +33333331
POST   api/v1/ledger/periods/<uuid:pk>/reopening/           c33333331
GET    api/v1/ledger/posting-rules/                         ++3333331
GET    api/v1/ledger/posting-rules/<uuid:pk>/               ++3333331
POST   api/v1/ledger/restart/                               c33333331
GET    api/v1/ledger/stop/                                  ++3333331
GET    api/v1/ledger/transfers/                             ++3333331
GET    api/v1/ledger/transfers/<uuid:pk>/                   ++3333331
GET    api/v1/ledger/trial-balance/                         ++3333331
POST   api/v1/live-tickets/                                 ++++++++1
POST   api/v1/login-codes/redemption/                       bbbbbbbbb
GET    api/v1/me/permissions/                               ++++++++1
GET    api/v1/memberships/                                  ++++++++1
POST   api/v1/memberships/                                  +33+44441
GET    api/v1/memberships/<uuid:pk>/                        ++4+4+441
DELETE api/v1/memberships/<uuid:pk>/                        +34+43441
GET    api/v1/object-grants/                                ++3+33331
POST   api/v1/object-grants/                                ++3+33331
DELETE api/v1/object-grants/<uuid:pk>/                      ++4+44441
GET    api/v1/operators/                                    ++3333331
POST   api/v1/operators/                                    333333331
GET    api/v1/operators/<uuid:pk>/                          ++3333331
PATCH  api/v1/operators/<uuid:pk>/                          333333331
GET    api/v1/payment-invoices/                             ++++++++1
GET    api/v1/payment-invoices/<uuid:pk>/                   +++++4441
GET    api/v1/payment-invoices/<uuid:pk>/document/          +++++4441
GET    api/v1/payments/                                     ++++++++1
POST   api/v1/payments/                                     333++bbb1
GET    api/v1/payments/<uuid:pk>/                           +++++4441
PATCH  api/v1/payments/<uuid:pk>/                           333++4441
POST   api/v1/payments/<uuid:pk>/proof/                     333++4441
POST   api/v1/payments/<uuid:pk>/rejection/                 33+334441
POST   api/v1/payments/<uuid:pk>/verification/              33+334441
POST   api/v1/payments/<uuid:pk>/withdrawal/                3333+4441
GET    api/v1/permissions/                                  ++++33331
GET    api/v1/products/                                     +++++++31
POST   api/v1/products/                                     ++3333331
GET    api/v1/products/<uuid:pk>/                           +++++++31
PATCH  api/v1/products/<uuid:pk>/                           ++3333331
GET    api/v1/profile/                                      ++++++++1
PATCH  api/v1/profile/                                      ++++++++1
GET    api/v1/roles/                                        ++++33331
POST   api/v1/roles/                                        +33333331
GET    api/v1/roles/<uuid:pk>/                              ++++44441
PATCH  api/v1/roles/<uuid:pk>/                              +33344441
DELETE api/v1/roles/<uuid:pk>/                              +33344441
GET    api/v1/seals/                                        +33333331
GET    api/v1/seals/<uuid:pk>/                              +33333331
GET    api/v1/seals/keys/                                   +++++++++
GET    api/v1/seals/rows/<uuid:row_id>/proof/               +33333331
GET    api/v1/seals/settings/                               +33333331
PATCH  api/v1/seals/settings/                               +33333331
GET    api/v1/seals/verification/                           +33333331
GET    api/v1/second-factor/                                ++++++++1
GET    api/v1/security-settings/                            +33333331
PATCH  api/v1/security-settings/                            +33333331
POST   api/v1/second-factor/codes/                          cccccccc1
POST   api/v1/second-factor/enrolment/                      ++++++++1
POST   api/v1/second-factor/enrolment/confirmation/         cccccccc1
POST   api/v1/second-factor/recovery-codes/                 bbbbbbbb1
POST   api/v1/second-factor/removal/                        bbbbbbbb1
POST   api/v1/second-factor/verification/                   cccccccc1
GET    api/v1/sellers/                                      ++++++++1
POST   api/v1/sellers/                                      333333331
GET    api/v1/sellers/<uuid:pk>/                            ++4444441
PATCH  api/v1/sellers/<uuid:pk>/                            334444441
POST   api/v1/sellers/<uuid:pk>/reinstatement/              334444441
POST   api/v1/sellers/<uuid:pk>/suspension/                 334444441
GET    api/v1/sessions/                                     ++++++++1
DELETE api/v1/sessions/                                     ++++++++1
PATCH  api/v1/sessions/<uuid:pk>/                           444444441
DELETE api/v1/sessions/<uuid:pk>/                           444444441
GET    api/v1/sign-in-policies/                             +33333331
POST   api/v1/sign-in-policies/                             +33333331
GET    api/v1/sign-in-policies/<uuid:pk>/                   +33333331
PATCH  api/v1/sign-in-policies/<uuid:pk>/                   +33333331
DELETE api/v1/sign-in-policies/<uuid:pk>/                   +33333331
GET    api/v1/step-up/                                      ++++++++1
POST   api/v1/step-up/                                      bbbbbbbb1
GET    api/v1/tax-rates/                                    +++++++31
POST   api/v1/tax-rates/                                    +33333331
GET    api/v1/tax-rates/<uuid:pk>/                          +++++++31
PATCH  api/v1/tax-rates/<uuid:pk>/                          +33333331
GET    api/v1/teams/                                        +++++++31
POST   api/v1/teams/                                        +33333331
GET    api/v1/teams/<uuid:pk>/                              ++++++441
PATCH  api/v1/teams/<uuid:pk>/                              +33333441
POST   api/v1/teams/<uuid:pk>/closing/                      +33344441
PUT    api/v1/teams/<uuid:pk>/lead/                         +33333441
GET    api/v1/teams/<uuid:team_id>/members/                 ++++++441
POST   api/v1/teams/<uuid:team_id>/members/                 +33+33441
DELETE api/v1/teams/<uuid:team_id>/members/<uuid:user_id>/  +33+33441
GET    api/v1/units/                                        +++++++31
GET    api/v1/units/<uuid:pk>/                              ++++++441
GET    api/v1/users/                                        ++++++++1
GET    api/v1/users/<uuid:pk>/                              ++++4+441
POST   api/v1/users/<uuid:pk>/deactivation/                 +33343441
POST   api/v1/users/<uuid:pk>/reactivation/                 +33344441
POST   api/v1/users/<uuid:pk>/second-factor-reset/          c33343441
GET    api/v1/verification-queue/                           33+333331
GET    api/v1/wallet-policy/                                ++3333331
PATCH  api/v1/wallet-policy/                                +33333331
GET    api/v1/wallet-transfers/                             ++++++++1
POST   api/v1/wallet-transfers/                             33bbbbbb1
GET    api/v1/wallet-transfers/<uuid:pk>/                   ++4444441
GET    api/v1/wallets/                                      ++++++++1
POST   api/v1/wallets/                                      333333331
GET    api/v1/wallets/<uuid:pk>/                            ++4444441
PATCH  api/v1/wallets/<uuid:pk>/                            334444441
GET    api/v1/wallets/<uuid:wallet_id>/history/             ++4444441
GET    api/v1/wallets/<uuid:wallet_id>/statement/csv/       ++4444441
GET    api/v1/wallets/<uuid:wallet_id>/statement/pdf/       ++4444441
GET    /                                                    >>>>>>>>>
GET    redoc/                                               +++++++++
GET    swagger/                                             +++++++++
"""


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every route with the methods that its view implements."""
    for pattern in patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            yield address or "/", _methods_of(pattern.callback)


def _methods_of(callback: Any) -> set[str]:
    actions = getattr(callback, "actions", None)
    if actions:
        return {method.upper() for method in actions} & set(METHODS)
    view = getattr(callback, "cls", None) or callback.view_class
    if issubclass(view, RedirectView):
        return {"GET"}
    return {method for method in METHODS if hasattr(view, method.lower())}


def routed() -> set[tuple[str, str]]:
    found = routes(get_resolver("config.urls_tenant").url_patterns)
    return {(method, route) for route, methods in found for method in methods}


def expected() -> dict[tuple[str, str], str]:
    rows = {}
    for line in TABLE.strip().splitlines():
        method, route, answers = line.split()
        rows[(method, route)] = answers
    return rows


def answer(world: World, who: str, method: str, route: str) -> Any:
    """What one caller gets; whatever it did is undone."""
    ids = world.ids(route)
    path = "/" + re.sub(r"<\w+:(\w+)>", lambda found: ids[found[1]], route.removeprefix("/"))
    short = route.removeprefix("api/v1/")
    if method == "GET" and short in QUERIES:
        path += QUERIES[short](world)
    with transaction.atomic():
        response = getattr(world.clients[who], method.lower())(
            path,
            world.body(method, route),
            format="multipart" if short in UPLOADS and method == "POST" else "json",
            **({} if method == "GET" else {"HTTP_IDEMPOTENCY_KEY": str(uuid4())}),
        )
        transaction.set_rollback(True)
    return response


def sign_of(response: Any) -> str:
    status = response.status_code
    return "+" if 200 <= status < 300 else SIGNS.get(status, str(status))


def test_every_route_has_a_row() -> None:
    assert routed() - expected().keys() == set(), "routes without a row"
    assert expected().keys() - routed() == set(), "rows without a route"


def test_each_answers_as_the_table_says(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    world = World()
    documented = Documented(yaml.safe_load(world.clients["admin"].get("/api/schema/").content))
    wrong, undocumented = [], set()
    for (method, route), answers in sorted(expected().items()):
        responses = [answer(world, who, method, route) for who in COLUMNS]
        found = "".join(map(sign_of, responses))
        if found != answers:
            wrong.append(f"{method:6} {route}: expected {answers}, found {found}")
        if route.startswith("api/v1/"):
            for response in responses:
                undocumented |= documented.complaints(method, route, response)
    assert wrong == []
    assert sorted(undocumented) == [], "answers that the OpenAPI document does not describe"


def test_no_route_takes_a_method_that_it_does_not_show(
    tenant: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    world = World()
    by_route: dict[str, set[str]] = {}
    for method, route in routed():
        by_route.setdefault(route, set()).add(method)
    taken = [
        f"{method} {route}: {found}"
        for route, methods in sorted(by_route.items())
        for method in METHODS
        if method not in methods
        and (found := sign_of(answer(world, "admin", method, route))) not in {"x", "3", ">"}
    ]
    assert taken == []
