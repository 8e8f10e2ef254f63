"""Deals through the API."""



from tests.cast import Cast

MONEY = {"amount": "1250.00", "currency": "KES"}


def test_a_salesperson_records_a_deal_of_their_own(cast: Cast) -> None:
    answer = cast.api("olga").post("deals/", {"name": "Solar roof", "value": MONEY})

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["stage"], body["value"]) == ("prospecting", MONEY)
    assert body["owner"] == str(cast.user("olga").pk)
    assert body["unit"] == str(cast.unit_of("olga").pk)
    assert answer["ETag"] == '"1"'
