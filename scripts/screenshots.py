"""Take the pictures of the documentation, in the sandbox: the monitor and the terminal."""

import io
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import anyio
from rich.console import Console

from atoms_campaigns_mcp.cli.watch import drawn

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.app_host import Host, browsing, hosting  # noqa: E402 - from the folder above
from tests.support.bench import Bench  # noqa: E402
from tests.support.serving import Caller  # noqa: E402

IMAGES = ROOT / "docs" / "images"
AREAS = {  # area codes, and how many contacts of the picture live there
    "202": 96,
    "312": 58,
    "720": 34,
    "415": 52,
    "800": 9,  # may be anywhere
}


async def _campaign(client: Caller, **changes: Any) -> dict[str, str]:
    numbers = [f"+1{area}555{n:04d}" for area, count in AREAS.items() for n in range(count)]
    csv = "phone\n" + "\n".join(numbers)
    audience = await client.call("create_audience", name="Policy holders, January", csv=csv)
    made = await client.call(
        "create_campaign",
        **{
            "name": "January renewals",
            "agent_id": "Outreach",
            "audience_id": audience["audience_id"],
            "phone_ids": ["+12025550143"],
            "max_retries": 2,
            "retry_delay": 4,
            **changes,
        },
    )
    return {"campaign_id": made["campaign_id"]}


async def _picture(host: Host, name: str) -> None:
    await host.page.clock.run_for(20_000)
    await host.app.locator("#updated", has_text="Updated").wait_for()
    height = await host.app.evaluate("document.body.getBoundingClientRect().height")
    await host.page.set_viewport_size({"width": 760, "height": round(height)})
    await host.page.screenshot(path=IMAGES / f"{name}.png")


async def _pass(bench: Bench, client: Caller, campaign: dict[str, str], *, steps: int) -> None:
    for _ in range(steps):
        bench.clock.advance(seconds=30)
        await client.call("get_campaign_status", **campaign)


def _terminal(report: dict[str, Any], path: Path) -> None:
    console = Console(record=True, width=78, file=io.StringIO())
    console.print(drawn(report))
    picture = console.export_svg(title="atoms-campaigns-mcp watch", unique_id="watch")
    # A picture in a README loads no fonts; the reader's own fixed-width font does as well.
    path.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL), "utf-8")


async def main() -> None:
    """Write every picture to docs/images."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Bench.open(Path(folder)) as bench:
        async with browsing() as browser, bench.client() as client:
            bench.clock.advance(hours=3)
            campaign = await _campaign(client)
            async with hosting(browser, client) as host:
                await host.show("preview_campaign", **campaign)
                await _picture(host, "monitor-preview")
            await client.call("start_campaign", **campaign)
            await _pass(bench, client, campaign, steps=6)
            await client.call("pause_campaign", **campaign)
            await _pass(bench, client, campaign, steps=4)
            await client.call("start_campaign", **campaign)
            await _pass(bench, client, campaign, steps=10)
            for theme in ("light", "dark"):
                async with hosting(browser, client, theme=theme) as host:
                    await host.show("get_campaign_status", **campaign)
                    await host.app.locator("#outcomes tr").first.wait_for()
                    await _picture(host, f"monitor-{theme}")
            status = await client.call("get_campaign_status", **campaign)
            _terminal(status, IMAGES / "terminal.svg")


anyio.run(main)
