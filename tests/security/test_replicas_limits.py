"""Replicas that share a Redis give a tenant one rate, not one each."""

from pathlib import Path

import pytest

from tests.support.redis import RedisServer
from tests.support.team import ANNA, BERT, prepared, serving_team

pytestmark = pytest.mark.anyio


async def test_what_one_replica_was_asked_counts_with_the_other(
    tmp_path: Path, emptied_redis: RedisServer
) -> None:
    with prepared(tmp_path) as bench:
        bench.configure(state=emptied_redis.address, secret=(b"s" * 32,), client_rate=4)
        async with serving_team(bench) as one, serving_team(bench) as other:
            answers = [
                (await team.post(ANNA, "tools/list")).status_code
                for team in (one, other, one, other, one, other)
            ]
            assert answers == [200] * 4 + [429] * 2
            assert (await other.post(BERT, "tools/list")).status_code == 200
            bench.clock.advance(seconds=1)
            assert (await other.post(ANNA, "tools/list")).status_code == 200


async def test_while_redis_is_away_each_replica_keeps_to_its_own_limit(
    tmp_path: Path, emptied_redis: RedisServer
) -> None:
    away = type(emptied_redis)(tmp_path, 1).address
    with prepared(tmp_path) as bench:
        bench.configure(state=away, secret=(b"s" * 32,), client_rate=2)
        async with serving_team(bench) as team:
            answers = [(await team.post(ANNA, "tools/list")).status_code for _ in range(3)]
    assert answers == [200, 200, 429]
