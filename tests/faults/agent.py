"""An agent that calls tools, writes down what it is told, and has the truth read beside it."""

import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import anyio

from tests.faults.proxy import Proxy
from tests.faults.records import Answer, Evidence, Outcome, Truth
from tests.faults.servers import Killed, NoResult, Server
from tests.faults.truth import Oracle

ELSEWHERE = 0.1  # of the calls go to another server than the lifecycle's own
LONGEST_THOUGHT = 3.0  # seconds
CAMPAIGN_ID = re.compile(r"\b[0-9a-f]{24}\b")


@dataclass(frozen=True, slots=True)
class Scene:
    """What all lifecycles share."""

    proxy: Proxy
    servers: list[Server]
    oracle: Oracle
    evidence: Evidence
    clock: Callable[[], float]
    repeats: int


class GaveUp(Exception):
    """A step did not succeed within the repeats that an agent has patience for."""

    def __init__(self, step: str, last: str) -> None:
        super().__init__(f"{step} after {last}")


class Agent:
    """Drives one lifecycle; repeats a step as long as it has patience."""

    def __init__(self, number: int, name: str, scene: Scene, dice: random.Random) -> None:
        self.number = number
        self.name = name
        self.scene = scene
        self.dice = dice
        self.step_began = 0.0
        self._last = ""
        self._server = number % len(scene.servers)

    async def until(self, what: str, attempt: Callable[[], Awaitable[bool]]) -> None:
        """Repeat `attempt` until it says that the goal is reached.

        Raises:
            GaveUp: It has been tried often enough.
        """
        self.step_began = self.scene.clock()
        for tried in range(self.scene.repeats):
            if await attempt():
                return
            thought = self.dice.uniform(0.1, 0.4) * 1.6**tried
            await anyio.sleep(min(thought, LONGEST_THOUGHT))
        raise GaveUp(what, self._last)

    async def ask(self, tool: str, subject: str, expected: int = 0, **arguments: Any) -> Answer:
        """Call a tool; if it wants a token, the person says yes and the agent calls again."""
        answer = await self._once(tool, subject, expected, arguments)
        token = answer.data.get("confirm_token")
        if answer.code == "not_confirmed" and token:
            # The question itself: the person reads it and agrees.
            self.scene.evidence.yeses[self.name] += 1
            given = {**arguments, "confirm_token": token}
            answer = await self._once(tool, subject, expected, given)
        return answer

    async def _once(
        self, tool: str, subject: str, expected: int, arguments: dict[str, Any]
    ) -> Answer:
        clock = self.scene.clock
        began, text = clock(), ""
        data: dict[str, Any] = {}
        outcome: Outcome = "success"
        try:
            result, text = await self._pick().call(tool, arguments)
            outcome = "error" if result.is_error else "success"
            data = cast("dict[str, Any]", result.structured_content or {})
        except Killed:
            outcome = "killed"
            self._server = self.dice.randrange(len(self.scene.servers))
        except NoResult as error:
            outcome, text = "broken", str(error)
        ended = clock()
        looked_at = self.scene.proxy.looks.get(str(data.get("campaign_id") or subject), 0.0)
        truth = None if outcome in {"killed", "broken"} else await self._truth(tool, subject, data)
        answer = Answer(
            lifecycle=self.number,
            tool=tool,
            subject=subject,
            began=began,
            ended=ended,
            outcome=outcome,
            text=text,
            data=data,
            truth=truth,
            seen_at=clock(),
            looked_at=looked_at,
            step_began=self.step_began,
            expected=expected,
        )
        self.scene.evidence.answers.append(answer)
        if outcome != "success":
            self._last = f"{tool}: {answer.code or outcome} {text[:90]}"
        return answer

    def _pick(self) -> Server:
        if self.dice.random() < ELSEWHERE:
            return self.dice.choice(self.scene.servers)
        return self.scene.servers[self._server]

    async def _truth(self, tool: str, subject: str, data: dict[str, Any]) -> Truth | None:
        oracle = self.scene.oracle
        if campaign := data.get("campaign_id"):
            return await oracle.campaign(campaign)
        if audience := data.get("audience_id"):
            return await oracle.audience(audience)
        if not CAMPAIGN_ID.fullmatch(subject):
            return None
        if tool in {"add_contacts", "delete_audience"}:
            return await oracle.audience(subject)
        return await oracle.campaign(subject)
