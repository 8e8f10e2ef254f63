"""What each route about credit answers to sellers and to those who keep their wallets.

The columns of the house's own matrix stand in tests/access/test_matrix.py.
"""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from shared_apps.kernel.api.throttling import RateLimit
from tests.access.documented import Documented
from tests.access.matrix_world import World
from tests.access.test_matrix import answer, routed, sign_of
from tests.people import client_of

COLUMNS = ("wallet_admin", "seller", "other_seller")
ABOUT = ("sellers/", "wallets/", "wallet-", "deposit-requests/", "charge-", "operators/")

# As in tests/access/test_matrix.py; the seller owns what the routes name.
TABLE = """
GET    api/v1/charge-batches/                               +++
POST   api/v1/charge-batches/                               3+b
GET    api/v1/charge-batches/<uuid:batch_id>/rows/          ++4
GET    api/v1/charge-batches/<uuid:pk>/                     ++4
POST   api/v1/charge-callbacks/                             111
GET    api/v1/charge-reconciliations/                       +33
POST   api/v1/charge-reconciliations/                       +33
GET    api/v1/charge-reconciliations/<uuid:file_id>/rows/   +33
GET    api/v1/charge-reconciliations/<uuid:pk>/             +33
GET    api/v1/charge-refunds/                               +++
POST   api/v1/charge-refunds/                               +3b
GET    api/v1/charge-refunds/<uuid:pk>/                     ++4
POST   api/v1/charge-refunds/<uuid:pk>/approval/            +34
POST   api/v1/charge-refunds/<uuid:pk>/denial/              +34
POST   api/v1/charge-refunds/<uuid:pk>/withdrawal/          334
GET    api/v1/charge-sales/                                 +++
POST   api/v1/charge-sales/                                 3+b
GET    api/v1/charge-sales/<uuid:pk>/                       ++4
GET    api/v1/deposit-requests/                             +++
POST   api/v1/deposit-requests/                             ++b
GET    api/v1/deposit-requests/<uuid:pk>/                   ++4
POST   api/v1/deposit-requests/<uuid:pk>/approval/          +34
POST   api/v1/deposit-requests/<uuid:pk>/denial/            +34
POST   api/v1/deposit-requests/<uuid:pk>/proof/             ++4
POST   api/v1/deposit-requests/<uuid:pk>/withdrawal/        3+4
GET    api/v1/operators/                                    +++
POST   api/v1/operators/                                    +33
GET    api/v1/operators/<uuid:pk>/                          +++
PATCH  api/v1/operators/<uuid:pk>/                          +33
GET    api/v1/sellers/                                      +++
POST   api/v1/sellers/                                      +33
GET    api/v1/sellers/<uuid:pk>/                            ++4
PATCH  api/v1/sellers/<uuid:pk>/                            +34
POST   api/v1/sellers/<uuid:pk>/reinstatement/              +44
POST   api/v1/sellers/<uuid:pk>/suspension/                 +34
GET    api/v1/wallet-policy/                                +33
PATCH  api/v1/wallet-policy/                                +33
GET    api/v1/wallet-transfers/                             +++
POST   api/v1/wallet-transfers/                             3+b
GET    api/v1/wallet-transfers/<uuid:pk>/                   ++4
GET    api/v1/wallets/                                      +++
POST   api/v1/wallets/                                      +33
GET    api/v1/wallets/<uuid:pk>/                            ++4
PATCH  api/v1/wallets/<uuid:pk>/                            +34
GET    api/v1/wallets/<uuid:wallet_id>/history/             ++4
GET    api/v1/wallets/<uuid:wallet_id>/statement/csv/       ++4
GET    api/v1/wallets/<uuid:wallet_id>/statement/pdf/       ++4
"""


def expected() -> dict[tuple[str, str], str]:
    rows = (line.split() for line in TABLE.strip().splitlines())
    return {(method, route): answers for method, route, answers in rows}


def test_every_route_about_credit_has_a_row() -> None:
    about = {
        (method, route)
        for method, route in routed()
        if route.removeprefix("api/v1/").startswith(ABOUT)
    }
    assert about == expected().keys()


def test_each_answers_as_the_table_says(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    world = World()
    for name in COLUMNS:
        world.clients[name] = client_of(world.people[name])
    documented = Documented(yaml.safe_load(world.clients["admin"].get("/api/schema/").content))
    wrong, undocumented = [], set()
    for (method, route), answers in sorted(expected().items()):
        responses = [answer(world, who, method, route) for who in COLUMNS]
        found = "".join(map(sign_of, responses))
        if found != answers:
            wrong.append(f"{method:6} {route}: expected {answers}, found {found}")
        for response in responses:
            undocumented |= documented.complaints(method, route, response)
    assert wrong == []
    assert sorted(undocumented) == [], "answers that the OpenAPI document does not describe"
