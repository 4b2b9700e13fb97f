"""The monitor beside `schedule_waves`: a row for each, whatever their number."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from tests.monitor.test_details import BROKEN
from tests.support.app_host import MONITOR, hosting
from tests.support.bench import Bench
from tests.tools.waves.waving import CALLS, NAMES, listed

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
FIRST = datetime(2027, 1, 11, 4, 30, tzinfo=UTC)


def scheduled(count: int) -> dict[str, Any]:
    """The result of a call that made so many waves, with names as long as they may be."""
    waves: list[dict[str, Any]] = []
    for number in range(count):
        start = FIRST + timedelta(hours=number)
        waves.append(
            {
                "campaign_id": f"{number:024x}",
                "name": f"Morning calls · Johannesburg {number + 1}/{count}",
                "status": "scheduled",
                "audience_id": f"{number + 4096:024x}",
                "time_zone": "America/Argentina/Buenos_Aires and 11 more",
                "contacts": 1234,
                "local_start": "2027-01-11 10:00",
                "starts_at": f"{start:%Y-%m-%dT%H:%MZ}",
                "latest_end": f"{start + timedelta(hours=3):%Y-%m-%dT%H:%MZ}",
            }
        )
    told = {"name": "Morning calls", "mode": "sandbox", "audience_id": "a" * 24, "waves": waves}
    told |= {"contacts": 1234 * count, "left": [], "next_step": "They dial by themselves."}
    return {"structuredContent": told, "content": []}


async def test_hosts_show_the_page_beside_what_it_made_and_the_page_keeps_it_up_to_date(
    bench: Bench, browser: Browser
) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        (tool,) = [
            t for t in (await client.client.list_tools()).tools if t.name == "schedule_waves"
        ]
        assert (tool.meta or {})["ui"]["resourceUri"] == MONITOR
        await listed(client)
        await host.show("schedule_waves", **CALLS)
        rows = host.app.locator("#waveRows tr")
        await expect(rows).to_have_count(3)
        names = [await row.locator("th").inner_text() for row in await rows.all()]
        await expect(host.app.locator("h1")).to_have_text("Morning calls")
        await expect(host.app.locator("#wavesText")).to_contain_text("3 waves")
        await client.call("delete_campaign", campaign_id=f"{NAMES[2]}")
        await host.app.get_by_role("button", name="Refresh").click()
        await expect(rows).to_have_count(2)
        ends = await rows.first.locator("td").nth(3).inner_text()
    assert [f"Morning calls · {name}" for name in names] == NAMES
    assert ends != "unknown"  # which lists of campaigns do not tell: it is kept from the result
    assert host.complaints == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("count", [0, 50])
async def test_no_waves_and_fifty_fit_into_a_narrow_window(
    bench: Bench, browser: Browser, count: int, theme: str
) -> None:
    async with (
        bench.client() as client,
        hosting(browser, client, theme=theme, width=320, server_tools=False) as host,
    ):
        await host.tell("ui/notifications/tool-result", scheduled(count))
        await expect(host.app.locator("h1")).to_have_text("Morning calls")
        rows = host.app.locator("#waveRows tr")
        await expect(rows).to_have_count(count)
        assert await host.app.locator("#waves").is_visible() == bool(count)
        assert await host.app.evaluate("document.documentElement.scrollWidth") == 320
        assert await host.app.evaluate(BROKEN) == []
        found = await cast("Any", Axe()).run(host.app)
        if count:
            await expect(rows.last.locator("th")).to_have_text("Johannesburg 50/50")
            assert "1,234" in await rows.last.inner_text()
    assert found.response["violations"] == []
    assert host.complaints == []
