"""The demo's credit limits ..."""

from shared_apps.onboarding.demo.cast import CURRENCY
from shared_apps.onboarding.demo.limits import make_limits
from tenant_apps.limits.selectors import credit_positions_visible_to
from tenant_apps.limits.verification import differences
from tests.cast import Cast
from tests.deals.stories import a_client, kes, new_deal
from tests.limits.stories import win


def test_show_a_client_near_its_limit_one_above_and_one_far_from_it(cast: Cast) -> None:
    assert new_deal(cast).value.currency == CURRENCY
    clients = [a_client(cast) for _ in range(4)]
    for client, amount in zip(clients, ("10", "400000", "300000", "200000"), strict=True):
        win(cast, client, f"{amount}.00")

    assert make_limits(client_ids=[client.pk for client in clients], actor=cast.system) == 3

    shown = [
        credit_positions_visible_to(cast.system, client_id=client.pk) for client in clients[1:]
    ]
    assert [(row.limit, row.mode, row.available) for (row,) in shown] == [
        (kes("416000.00"), "refuse", kes("16000.00")),
        (kes("255000.00"), "warn", kes("-45000.00")),
        (kes("600000.00"), "refuse", kes("400000.00")),
    ]
    assert credit_positions_visible_to(cast.system, client_id=clients[0].pk) == []
    assert differences() == []
