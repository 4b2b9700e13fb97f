"""Whole lifecycles of campaigns, as an agent leads them for a person who says yes."""

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.faults.agent import CAMPAIGN_ID, Agent, GaveUp, Scene
from tests.faults.records import SEEDED, Answer
from tests.support.world import DRAFT

STARTED = {"processing", "running", "completed", "failed"}
OVER = {"completed", "failed"}
STOPPED = OVER | {"paused"}
FIRST, MORE = 3, 2  # contacts of an audience of our own, and those added to it
GLANCES = 4  # watches before the agent pauses instead of waiting for the end
SAME = re.compile(r"already|duplicate|same|equal|allow_duplicate", re.IGNORECASE)


class Lifecycle:
    """One campaign from its creation to its deletion; all choices come from `dice`."""

    def __init__(self, number: int, scene: Scene, dice: random.Random, today: datetime) -> None:
        self.name = f"{SEEDED} {number:04d}"
        self._scene = scene
        self._dice = dice
        self._agent = Agent(number, self.name, scene, dice)
        self._campaign = ""
        self._audience = ""
        self._sent = False
        self._looks_first = dice.random() < 0.3
        self._wanted: dict[str, Any] = {
            **DRAFT,
            "name": self.name,
            "max_retries": dice.randint(1, 5),
            "retry_delay": dice.randint(1, 10),
        }
        # A start locks its audience, so that many on one would wait for each other in a row.
        self._own = dice.random() < 0.85
        if scheduled := dice.random() < 0.15:
            moment = today + timedelta(days=300, minutes=number)
            self._wanted["scheduled_at"] = moment.isoformat()
        self._scheduled = scheduled
        self._pauses = dice.random() < 0.6

    async def run(self) -> None:
        """Lead it to its end, or give up; what comes of it is in the evidence."""
        try:
            await self._live()
        except GaveUp as error:
            self._scene.evidence.gave_up.append(str(error))
        else:
            self._scene.evidence.completed += 1

    async def _live(self) -> None:
        await self._until("list_phone_numbers", self._sees_numbers)
        if self._own:
            await self._until("create_audience", self._made_audience)
            await self._until("add_contacts", self._added)
            self._wanted["audience_id"] = self._audience
        await self._until("create_campaign", self._made)
        if not self._scheduled:
            await self._start()
            if self._pauses:
                await self._until("watch_campaign", self._glanced)
                await self._pause()
                await self._go_on()
            await self._finish()
        await self._until("delete_campaign", self._deleted)
        if self._own:
            await self._until("delete_audience", self._deleted_audience)

    async def _until(self, what: str, attempt: Any) -> None:
        await self._agent.until(what, attempt)

    async def _sees_numbers(self) -> bool:
        return (await self._agent.ask("list_phone_numbers", "")).outcome == "success"

    async def _made_audience(self) -> bool:
        name = f"People of {self.name}"
        csv = "name,phone\n" + "".join(f"Person,{number(n)}\n" for n in range(FIRST))
        answer = await self._agent.ask("create_audience", name, FIRST, name=name, csv=csv)
        self._audience = answer.data.get("audience_id", "")
        return bool(self._audience)

    async def _added(self) -> bool:
        csv = "name,phone\n" + "".join(f"Person,{number(FIRST + n)}\n" for n in range(MORE))
        answer = await self._agent.ask(
            "add_contacts", self._audience, FIRST + MORE, audience_id=self._audience, csv=csv
        )
        return answer.outcome == "success"

    async def _made(self) -> bool:
        answer = await self._agent.ask("create_campaign", self.name, **self._wanted)
        if answer.outcome == "success":
            self._campaign = answer.data["campaign_id"]
        elif self._sent and answer.outcome == "error" and SAME.search(answer.text):
            self._campaign = await self._named_in(answer)
        elif self._looks_first:
            self._campaign = await self._found()
        # Before this, a refusal as a duplicate would have no first campaign to name.
        self._sent = True
        return bool(self._campaign)

    async def _named_in(self, refusal: Answer) -> str:
        """Return the campaign that a refusal names as the same one, if it is ours."""
        for campaign in CAMPAIGN_ID.findall(refusal.text):
            if campaign in {self._wanted["agent_id"], self._wanted["audience_id"]}:
                continue
            look = await self._agent.ask("get_campaign_status", campaign, campaign_id=campaign)
            if look.data.get("name") == self.name:
                self._scene.evidence.refused_repeats += 1
                return campaign
        return ""

    async def _found(self) -> str:
        answer = await self._agent.ask("list_campaigns", "", search=self.name)
        rows: list[dict[str, Any]] = answer.data.get("campaigns", [])
        return next((row["id"] for row in rows if row["name"] == self.name), "")

    async def _status(self) -> str:
        answer = await self._agent.ask(
            "get_campaign_status", self._campaign, campaign_id=self._campaign
        )
        return "gone" if answer.code == "not_found" else answer.status

    async def _start(self) -> None:
        self._scene.evidence.intents[self._campaign] += 1
        await self._until("start_campaign", self._started)

    async def _started(self) -> bool:
        answer = await self._agent.ask("start_campaign", self._campaign, campaign_id=self._campaign)
        return (answer.status or await self._status()) in STARTED

    async def _glanced(self) -> bool:
        answer = await self._watch("change", 1)
        return answer.outcome == "success"

    async def _watch(self, until: str, seconds: int) -> Answer:
        return await self._agent.ask(
            "watch_campaign",
            self._campaign,
            campaign_id=self._campaign,
            until=until,
            wait_seconds=seconds,
        )

    async def _pause(self) -> None:
        await self._until("pause_campaign", self._paused)

    async def _paused(self) -> bool:
        answer = await self._agent.ask("pause_campaign", self._campaign, campaign_id=self._campaign)
        return (answer.status or await self._status()) in STOPPED

    async def _go_on(self) -> None:
        """Resume it if it is paused, as meant or by a pause that came late."""
        await self._until("get_campaign_status", self._knows)
        if self._seen == "paused":
            await self._start()

    async def _knows(self) -> bool:
        self._seen = await self._status()
        return bool(self._seen)

    async def _finish(self) -> None:
        for _ in range(GLANCES):
            answer = await self._watch("finished", 3)
            if answer.status in OVER:
                return
            if answer.status == "paused":
                await self._start()
        await self._pause()

    async def _deleted(self) -> bool:
        answer = await self._agent.ask(
            "delete_campaign", self._campaign, campaign_id=self._campaign
        )
        if answer.outcome == "success":
            return True
        status = await self._status()
        if status in {"processing", "running"}:  # a start that came late
            await self._agent.ask("pause_campaign", self._campaign, campaign_id=self._campaign)
        return status == "gone"

    async def _deleted_audience(self) -> bool:
        answer = await self._agent.ask(
            "delete_audience", self._audience, audience_id=self._audience
        )
        return answer.outcome == "success" or answer.code == "not_found"


def number(index: int) -> str:
    """Return a number that looks real and is not listed anywhere."""
    return f"+1415555{2000 + index}"


def today() -> datetime:
    """Return the date from which schedules count."""
    return datetime.now(UTC).replace(microsecond=0)
