"""What goes wrong in the middle of the load."""

import time
from dataclasses import dataclass
from subprocess import Popen

import anyio
import anyio.to_thread

from benchmarks.passing import Passing
from benchmarks.watching import make, talking
from tests.support.redis import RedisServer

AWAY = 2.0  # seconds for which Redis stays dead
AGAIN = 0.1  # seconds after which something new is tried again


@dataclass
class Recovery:
    """Seconds for which Redis was away, and after which something new was recorded and made."""

    away: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens: the replicas' address, what they send, who is killed, and Redis."""

    url: str
    passing: Passing
    killed: Popen[str]
    redis: RedisServer


async def make_trouble(scene: Scene, clients: int, recovery: Recovery) -> None:
    """Kill a replica among the creations, and Redis among the starts; start Redis again."""

    def made(tool: str) -> int:
        return sum(bool(one.change and one.change[1] == tool) for one in scene.passing.passed)

    await scene.passing.until(lambda: made("create_campaign") > clients // 3)
    scene.killed.kill()
    await scene.passing.until(lambda: made("start_campaign") > clients // 3)
    await anyio.to_thread.run_sync(scene.redis.kill)
    died = time.perf_counter()
    await anyio.sleep(AWAY)
    await anyio.to_thread.run_sync(scene.redis.start)
    back = time.perf_counter()
    async with talking(scene.url, "tenant-probe", seconds=30) as client:
        while await make(client, "Probe") is None:  # noqa: ASYNC110 - other programs
            await anyio.sleep(AGAIN)
    recovery.away = back - died
    recovery.seconds = time.perf_counter() - back
