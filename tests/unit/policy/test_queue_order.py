"""Queues in strict order, or drawn by weight."""

from collections import Counter
from collections.abc import Mapping
from random import Random

import pytest

from rota.model.errors import ConfigurationError
from rota.policy.queue_order import QueueOrder


def test_without_weights_the_order_is_as_given() -> None:
    order = QueueOrder(("mail", "bulk"))
    assert {order.draw(Random(n)) for n in range(20)} == {("mail", "bulk")}


def test_a_queue_comes_first_as_often_as_its_weight_says() -> None:
    order, random = QueueOrder(("mail", "bulk", "slow"), {"mail": 6, "bulk": 3, "slow": 1}), Random(7)
    firsts = Counter(order.draw(random)[0] for _ in range(20_000))
    assert {name: round(count / 20_000, 1) for name, count in firsts.items()} == {
        "mail": 0.6,
        "bulk": 0.3,
        "slow": 0.1,
    }


def test_the_second_is_drawn_by_weight_among_the_rest() -> None:
    order, random = QueueOrder(("mail", "bulk", "slow"), {"mail": 1, "bulk": 3, "slow": 1}), Random(7)
    after_mail = Counter(
        drawn[1] for drawn in (order.draw(random) for _ in range(40_000)) if drawn[0] == "mail"
    )
    assert after_mail["bulk"] / after_mail.total() == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("queues", "weights", "message"),
    [
        ((), None, "no queue is named"),
        (("mail", "mail"), None, "queue 'mail' is named twice"),
        (("mail", "bulk"), {"mail": 1}, "queue 'bulk' has no weight while others have"),
        (("mail",), {"mail": 0}, "queue 'mail': weight 0 is out of bounds. Give a number above 0"),
        (("mail",), {"mail": float("nan")}, "weight nan is out of bounds"),
        (("mail",), {"mail": float("inf")}, "weight inf is out of bounds"),
        (("mail",), {"mail": 1, "mial": 1}, "queue 'mial' has a weight and is not .*Did you mean 'mail'"),
    ],
)
def test_bad_orders_are_refused(
    queues: tuple[str, ...], weights: Mapping[str, float] | None, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        QueueOrder(queues, weights)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        QueueOrder(("mail", "mail", "bulk"), {"mail": 0})
    assert len(caught.value.faults) >= 3
