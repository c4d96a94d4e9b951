"""Requests with a key are done once, whoever dies meanwhile."""

import asyncio
from datetime import timedelta
from uuid import UUID

from rota.model.ids import new_id
from rota.ports.requests import KEPT, Begun, KeptAnswer
from rota.testing.conformance.scene import MINUTE, SECOND, Scene

__all__ = ["TestRequests"]

OK = KeptAnswer(201, b'{"id": 1}')


async def begin(
    scene: Scene, *, scope: str = "ada", key: str = "k", digest: bytes = b"1", lease: timedelta = MINUTE
) -> Begun:
    return await scene.store.requests.begin(scope, key, digest, new_id(), lease)


class TestRequests:
    async def test_the_first_answer_is_kept(self, scene: Scene) -> None:
        first = await begin(scene)
        assert (first.mine, first.answer) == (True, None)
        meanwhile = await begin(scene)
        assert (meanwhile.mine, meanwhile.same, meanwhile.answer) == (False, True, None)
        await scene.store.requests.finish("ada", "k", OK)
        again = await begin(scene)
        assert (again.mine, again.same, again.answer, again.seed) == (False, True, OK, first.seed)

    async def test_another_request_of_the_key_is_not_the_same(self, scene: Scene) -> None:
        await begin(scene)
        other = await begin(scene, digest=b"2")
        assert (other.mine, other.same) == (False, False)

    async def test_keys_are_one_s_own(self, scene: Scene) -> None:
        assert (await begin(scene)).mine
        assert (await begin(scene, scope="bob")).mine
        assert (await begin(scene, key="K")).mine

    async def test_of_many_at_once_one_does_it(self, scene: Scene, crowd: list[Scene]) -> None:
        begun = await asyncio.gather(*(begin(one) for one in crowd))
        assert [one.mine for one in begun].count(True) == 1
        assert len({one.seed for one in begun}) == 1
        assert scene is not None

    async def test_who_is_silent_is_presumed_dead_and_the_seed_stays(self, scene: Scene) -> None:
        first = await begin(scene)
        scene.clock.advance(MINUTE - SECOND)
        assert not (await begin(scene)).mine
        scene.clock.advance(SECOND)
        other = await begin(scene, digest=b"2")
        assert (other.mine, other.same) == (False, False)
        heir = await begin(scene)
        assert (heir.mine, heir.seed) == (True, first.seed)
        assert not (await begin(scene)).mine

    async def test_what_failed_may_be_tried_at_once(self, scene: Scene) -> None:
        first = await begin(scene)
        await scene.store.requests.finish("ada", "k", None)
        again = await begin(scene)
        assert (again.mine, again.seed) == (True, first.seed)
        assert isinstance(first.seed, UUID)

    async def test_an_answer_is_not_taken_back(self, scene: Scene) -> None:
        await begin(scene)
        await scene.store.requests.finish("ada", "k", OK)
        await scene.store.requests.finish("ada", "k", None)
        assert (await begin(scene)).answer == OK

    async def test_a_day_later_it_is_forgotten(self, scene: Scene) -> None:
        first = await begin(scene)
        await scene.store.requests.finish("ada", "k", OK)
        scene.clock.advance(KEPT - SECOND)
        assert not (await begin(scene)).mine
        scene.clock.advance(SECOND)
        anew = await begin(scene, digest=b"2")
        assert anew.mine
        assert anew.seed != first.seed
