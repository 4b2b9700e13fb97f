"""The session that every client must go through, and come out of with the same results."""

import re
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.support.world import DRAFT

Result = dict[str, Any]
# Of one connection or one moment: era's envelope, progress of calls, times and marks of a state.
PASSING = {
    *("_meta", "resultType", "ttlMs", "cacheScope"),
    *("contacts_called", "contacts_connected", "contacts_remaining", "called_percent"),
    *("connected_percent", "starts", "events", "since", "mark"),
    *("calls_in_progress", "contacts_finished", "retries_due"),
    *("consent", "answered_after"),  # of those that ask, and of those that take a token
}
# Of those who are still to be called, which depends on how far a campaign came before its pause.
FOREIGN = r"\d+ contacts? called from a caller ID of another country \([^)]*\)"
ASKED = "This needs the user's agreement: "


class Driver(Protocol):
    """A client, connected to our server in a sandbox of its own.

    Attributes:
        questions: What its user was asked, and agreed to; empty if it cannot ask.
    """

    questions: list[str]

    async def ask(self, method: str, params: Result) -> Result:
        """Send one request; give its result as it is on the wire."""
        ...


@dataclass(slots=True)
class Session:
    """What is seen on the way; results name the server in the stateless era only."""

    driver: Driver
    seen: dict[str, Result] = field(default_factory=dict[str, Result])
    named: set[bool] = field(default_factory=set[bool])

    async def call(self, step: str, tool: str, **arguments: Any) -> Result:
        result = await self.driver.ask("tools/call", {"name": tool, "arguments": arguments})
        self.seen[step] = lasting(result)
        if tool == "pause_campaign":  # the rest tells of calls that still ring at this moment
            data = self.seen[step]["structuredContent"]
            kept = {name: data[name] for name in ("campaign_id", "status", "changed")}
            self.seen[step] = {"structuredContent": kept}
        self.named.add("io.modelcontextprotocol/serverInfo" in result.get("_meta", {}))
        return result

    async def agreed(self, step: str, tool: str, **arguments: Any) -> None:
        result = await self.call(step, tool, **arguments)
        data = result["structuredContent"]
        if data.get("code") == "not_confirmed":
            self.driver.questions.append(data["message"].partition(ASKED)[2])
            await self.call(step, tool, **arguments, confirm_token=data["confirm_token"])
        (question,) = self.driver.questions
        self.driver.questions.clear()
        # How many were called before the pause depends on the machine.
        told = re.sub(r"to \d+ contacts? not called yet.*? \(", "to those left (", question)
        told = re.sub(r"It takes .*?\.", "It takes long.", told)
        told = re.sub(FOREIGN, "some contacts called from another country", told)
        self.seen[f"{step}, asked"] = {"question": told}


async def session(driver: Driver) -> tuple[dict[str, Result], set[bool]]:
    """Go from caller IDs to a deleted campaign.

    Gives what was seen on the way, and whether results named the server, as in the stateless era.
    """
    going = Session(driver)
    call, agreed, seen = going.call, going.agreed, going.seen
    seen["tools"] = lasting(await driver.ask("tools/list", {}))
    await call("caller IDs", "list_phone_numbers")
    # Who is not reached is tried again after a day: the campaign runs as long as the session.
    draft = {**DRAFT, "max_retries": 1, "retry_delay": 1440}
    made = await call("create", "create_campaign", **draft)
    campaign = {"campaign_id": made["structuredContent"]["campaign_id"]}
    await agreed("start", "start_campaign", **campaign)
    await call("status", "get_campaign_status", **campaign)
    await call("pause", "pause_campaign", **campaign)
    await agreed("resume", "start_campaign", **campaign)
    await call("watch", "watch_campaign", **campaign, until="running", wait_seconds=10)
    await call("pause again", "pause_campaign", **campaign)
    await agreed("delete", "delete_campaign", **campaign)
    seen["guide"] = lasting(await driver.ask("resources/read", {"uri": "atoms://guide"}))
    prompt: Result = {"name": "review_campaign", "arguments": campaign}
    seen["prompt"] = lasting(await driver.ask("prompts/get", prompt))
    return seen, going.named


def lasting(value: Any) -> Any:
    """Leave out what differs from run to run: progress, times, and numbers within sentences."""
    if isinstance(value, dict):
        kept: Result = {k: lasting(v) for k, v in value.items() if k not in PASSING}  # pyright: ignore[reportUnknownVariableType]
        if "content" in kept:
            # Some clients leave out what is the default.
            kept.setdefault("isError", False)
        return kept
    if isinstance(value, list):
        return [lasting(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str):
        value = re.sub(FOREIGN, "some contacts called from another country", value)
        value = re.sub(r"(The client asked|It was agreed to)[^:]*: ", "Agreed: ", value)
        # Ids made by the sandbox begin with the time; sentences hold progress.
        return re.sub(r"\b[0-9a-f]{12,24}\b|[\d.]*\d", "#", value)
    return value
