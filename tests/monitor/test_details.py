"""The monitor's waves, guard and needs, and how it shows what it knows and does not know."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from atoms_campaigns_mcp.guard.notify import Webhook
from atoms_campaigns_mcp.guard.process import Guard, rules_of
from atoms_campaigns_mcp.guard.rules import LEAD
from atoms_campaigns_mcp.runtime import Runtime
from tests.monitor.shown import cells, made
from tests.support.app_host import hosting
from tests.support.bench import Bench

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
BROKEN = """() => {
  const broken = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (!node.parentElement.checkVisibility() || node.parentElement.closest('script, style, .sr'))
      continue;
    for (const found of node.textContent.matchAll(/[^\\s\\u200b-]+/g)) {
      const range = document.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
      if (found[0].length < 24 && lines.size > 1) broken.push(found[0]);
    }
  }
  return broken;
}"""


async def test_no_word_is_broken_in_a_narrow_window(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client, width=320) as host:
        campaign = await made(client, started=False)
        await host.show("preview_campaign", **campaign)
        await expect(host.app.locator("#zones tr").first).to_be_visible()
        plan = await host.app.evaluate(BROKEN)
        await client.call("start_campaign", **campaign)
        bench.clock.advance(minutes=1)
        await host.show("get_campaign_status", **campaign)
        await expect(host.app.locator("#outcomes tr").first).to_be_visible()
        assert (plan, await host.app.evaluate(BROKEN)) == ([], [])


@pytest.mark.parametrize("status", ["draft", "scheduled", "failed"])
async def test_what_does_not_dial_says_what_it_needs(
    bench: Bench, browser: Browser, status: str
) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        later = {"scheduled_at": "2027-01-05T10:00:00Z"} if status == "scheduled" else {}
        campaign = await made(client, started=status == "failed", **later)
        if status == "failed":
            told = {"campaign_id": campaign["campaign_id"], "name": "x", "status": "failed"}
            told |= {"error": "No phone numbers available", "next_step": "Tell the user."}
            result: dict[str, Any] = {"structuredContent": told, "content": []}
            await host.app.evaluate("() => { caps = {} }")
            await host.tell("ui/notifications/tool-result", result)
        else:
            await host.show("get_campaign_status", **campaign)
        needed = host.app.locator("#needed")
        await expect(needed).to_be_visible()
        await expect(needed).to_contain_text("Next step")
        words = {
            "draft": "not looked at yet",
            "scheduled": "Dials at",
            "failed": "No phone numbers",
        }
        await expect(needed).to_contain_text(words[status])
        await expect(host.app.locator("#needed div").first).to_have_text(
            "Contacts25" if status != "failed" else "Contactsnot read yet"
        )


async def test_the_guards_rules_and_stops_are_shown(bench: Bench, browser: Browser) -> None:
    bench.configure(sandbox_speed=1.0)
    guarding = replace(bench.settings, guard_until=bench.clock.now() + LEAD + timedelta(seconds=20))
    runtime = Runtime.open(guarding, clocks=bench.clock.clocks(), network=bench.wire)
    said: list[str] = []
    guard = Guard(runtime, rules_of(runtime), Webhook.of(guarding, bench.clock.now), said.append)
    async with bench.client() as client, hosting(browser, client) as host:
        campaign = await made(client, max_retries=0)
        await host.show("get_campaign_status", **campaign)
        shown = host.app.locator("#guardText")
        await expect(shown).to_contain_text("No: nothing is enforced")
        await guard.round()
        assert said == []
        bench.clock.advance(seconds=30)
        await guard.round()
        assert "now paused" in said[0]
        await host.app.get_by_role("button", name="Refresh").click()
        await expect(shown).to_contain_text("Yes: until 2027-01-04 12:03 UTC")
        await expect(host.app.locator("#stops li")).to_contain_text("stopped: until")
        await guard.lease.release()
    await runtime.close()
    assert host.complaints == []


async def test_waves_are_rows_on_one_clock(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        first = await made(
            client, started=False, name="Calls · New York", scheduled_at="2027-01-05T15:00:00Z"
        )
        await made(
            client, started=False, name="Calls · Chicago", scheduled_at="2027-01-05T16:00:00Z"
        )
        await host.show("get_campaign_status", **first)
        rows = host.app.locator("#waveRows tr")
        await expect(rows).to_have_count(2)
        shown = [await row.inner_text() for row in await rows.all()]
        starts = await host.app.locator("#waveRows svg rect:last-child").evaluate_all(
            "bars => bars.map(bar => Number(bar.getAttribute('x')))"
        )
    assert [text.split("\t")[0] for text in shown] == ["New York", "Chicago"]
    assert all("scheduled\t25" in text for text in shown)
    assert starts[0] < starts[1]


async def test_what_was_not_read_is_never_zero_and_thousands_are_separated(
    bench: Bench, browser: Browser
) -> None:
    async with bench.client() as client, hosting(browser, client, server_tools=False) as host:
        told: dict[str, Any] = {"campaign_id": "0" * 24, "name": "Large", "status": "running"}
        result: dict[str, Any] = {"structuredContent": told, "content": []}
        await host.tell("ui/notifications/tool-result", result)
        await expect(host.app.locator("#counts")).to_have_text("not read yet")
        await expect(host.app.locator("#percent")).not_to_contain_text("0")
        await expect(host.app.locator("#retries")).to_contain_text("not read yet")
        await expect(host.app.locator("#chartText")).to_have_text("Not read yet.")
        told |= {"total_participants": 12345, "contacts_called": 6789, "contacts_connected": 1234}
        await host.tell("ui/notifications/tool-result", result)
        await expect(host.app.locator("#counts")).to_have_text(
            "6,789 of 12,345 contacts called, 1,234 connected"
        )
        assert (await cells(host, "funnel"))["No answer"] == "not read yet"


async def test_what_is_queued_is_not_in_progress(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        await host.show("get_campaign_status", **await made(client))
        bench.clock.advance(seconds=2)
        await host.app.get_by_role("button", name="Refresh").click()
        await expect(host.app.locator("#outcomes")).to_contain_text("queued")
        outcomes = await cells(host, "outcomes")
    assert int(outcomes["queued"]) + int(outcomes["in progress"]) <= 25


async def test_the_legend_has_the_colours_of_the_drawing(bench: Bench, browser: Browser) -> None:
    look = """node => { const style = getComputedStyle(node, '::before');
      return [style.backgroundColor, style.opacity]; }"""
    async with bench.client() as client, hosting(browser, client) as host:
        await host.show("preview_campaign", **await made(client, started=False))
        await expect(host.app.locator("#zones tr").first).to_be_visible()
        legend = host.app.locator("#plan .key")
        told = [await key.evaluate(look) for key in await legend.all()]
        drawn = await host.app.locator("#zones svg rect").evaluate_all(
            "bars => bars.map(bar => [getComputedStyle(bar).fill, getComputedStyle(bar).opacity])"
        )
    assert told[0] in drawn
    assert told[1] in drawn or told[2] in drawn
