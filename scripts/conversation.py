"""The conversation at the top of the README: what tools answered in a run against the sandbox.

Who speaks is made up. The figures and the question are not: they are read from the results of real
calls, through an MCP client, on a clock and a seed that make each run the same.
"""

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio

from atoms_campaigns_mcp.tool_calls.asker import TICK

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.bench import Bench  # noqa: E402 - from the folder above
from tests.support.serving import Caller  # noqa: E402
from tests.support.troubles import listed  # noqa: E402

NAME = "January renewals"
ON_THE_LIST = "+13125550112"
LIST = """\
phone,name
+12025550111,Ada
+13125550112,Grace
+17205550113,Linus
+14155550114,Radia
+14155550115,Barbara
(202) 555-0111,Ada again
"""
TEXT = """\
> **You:** Here is our list, {rows} rows. Call them with Outreach from our US number, and once more
> after 5 minutes if nobody answers. Show me the plan first.

**Agent:** {contacts} of the {rows} rows can be called. {merged} repeats a number, {blocked} is on
your **do-not-call list**. The plan: {contacts} people from {caller_id}, {dials} calls in \
{duration}. One problem:
**{finding}**. Shall I wait until {opens} there?

> **You:** Yes, wait.

**Agent:** It is {local} there now, and the plan has {findings}. *(The client asks you itself, \
in a form:)*

> {question}
>
> ☐ {box} [ Submit ] [ Cancel ]

> **You:** *ticks the box and submits*

**Agent:** It is running. *(Hosts with MCP Apps show this live; others get text.)*

<picture><source media="(prefers-color-scheme: dark)" srcset="docs/images/monitor-dark.png">\
<img src="docs/images/monitor-light.png" width="480" \
alt="A larger campaign: progress, outcomes, retries due, events, and a pause button"></picture>

> **You:** How did it go?

**Agent:** {connected} of {called} people answered ({percent} %), {retried} of them on the second
attempt. Not reached: {missed}. {talked} seconds of talk cost {cost} USD. Shall I make a list of \
those we did not reach?"""


async def _told(folder: Path) -> dict[str, Any]:
    """Run the campaign, and return what the conversation says of it."""
    with Bench.open(folder) as bench:
        bench.clock.advance(hours=3)
        async with bench.client() as client:
            await listed(ON_THE_LIST, "")(bench, client)
            made = await client.call("create_audience", name=NAME, csv=LIST, default_region="US")
            campaign = await _campaign(client)
            plan = await client.call("preview_campaign", **campaign)
            bench.clock.advance(hours=1)
            later = await client.call("preview_campaign", **campaign)
            await client.call("start_campaign", **campaign)
            for _ in range(30):
                bench.clock.advance(seconds=60)
                await client.call("get_campaign_status", **campaign)
            results = await client.call("get_campaign_results", **campaign)
        question = bench.questions[-1]
    return _of_the_plan(made, plan, later, question) | _of_the_results(results)


async def _campaign(client: Caller) -> dict[str, str]:
    made = await client.call(
        "create_campaign",
        name=NAME,
        agent_id="Outreach",
        audience_id=NAME,
        phone_ids=["+12025550143"],
        max_retries=1,
        retry_delay=5,
    )
    return {"campaign_id": made["campaign_id"]}


def _of_the_plan(
    made: dict[str, Any], plan: dict[str, Any], later: dict[str, Any], question: str
) -> dict[str, Any]:
    (hours,) = (f for f in plan["findings"] if f["rule"] == "calling_hours")
    left = len(later.get("findings", ()))
    return {
        "rows": LIST.count("\n") - 1,
        "contacts": made["contacts"],
        "merged": made["merged"] if isinstance(made.get("merged"), int) else made["duplicates"],
        "blocked": made["excluded_contacts"],
        "caller_id": plan["caller_ids"][0],
        "dials": plan["dials"],
        "duration": plan["duration"],
        "finding": hours["reason"],
        "opens": plan["calling_hours"].partition("-")[0],
        "local": min(zone["local_start"] for zone in later["zones"]),
        "findings": "no problems left" if not left else f"{left} problems left",
        "question": re.sub(r"\s*\n\s*", "\n> ", question.strip()),
    }


def _of_the_results(results: dict[str, Any]) -> dict[str, Any]:
    retried = re.match(r"2: (\d+) of", results["by_attempt"][1])
    missed = ", ".join(results["not_reached"]).replace(": ", " ") or "nobody was missed"
    return {
        "connected": results["connected"],
        "called": results["called"],
        "percent": f"{results['connected_percent']:.0f}",
        "retried": retried[1] if retried else 0,
        "missed": missed,
        "talked": f"{results['talk_seconds']:.0f}",
        "cost": f"{results['cost']:.2f}",
    }


def conversation() -> str:
    """Return the conversation, as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        told = anyio.run(_told, Path(folder))
    return TEXT.format(**told, box=TICK)


if __name__ == "__main__":
    print(conversation())
