"""Who guesses too often has to wait."""

from rota.web.throttle import Throttle


class Ticker:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_only_the_last_failure_too_many_makes_wait() -> None:
    clock = Ticker()
    throttle = Throttle(limit=3, seconds=60, clock=clock)

    for _ in range(3):
        assert throttle.wait("ada") == 0
        throttle.failed("ada")
        clock.now += 10

    assert throttle.wait("ada") == 30
    assert throttle.wait("bob") == 0


def test_old_failures_are_let_be() -> None:
    clock = Ticker()
    throttle = Throttle(limit=2, seconds=60, clock=clock)
    throttle.failed("ada")
    clock.now = 50
    throttle.failed("ada")
    clock.now = 61

    assert throttle.wait("ada") == 0
    throttle.failed("ada")
    assert throttle.wait("ada") == 49


def test_success_forgets() -> None:
    throttle = Throttle(limit=1, clock=Ticker())
    throttle.failed("ada")
    throttle.succeeded("ada")

    assert throttle.wait("ada") == 0


def test_memory_is_bounded() -> None:
    throttle = Throttle(limit=1, remembered=2, clock=Ticker())
    for name in ("ada", "bob", "eve"):
        throttle.failed(name)

    assert [throttle.wait(name) > 0 for name in ("ada", "bob", "eve")] == [False, True, True]
