"""The campaign monitor in a real browser, in a host's sandbox, over our real server."""

from typing import Any, cast

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, expect

from atoms_campaigns_mcp.server.mcp.monitor.app import PAGE
from tests.monitor.shown import cells, made
from tests.support.app_host import ADDRESS, hosting
from tests.support.bench import Bench
from tests.support.clients import connected
from tests.support.do_not_call import opt_out
from tests.support.serving import says_yes

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
HOSTILE = '<img src=x onerror="document.title=1">'


async def test_it_follows_a_campaign_to_its_end_and_then_rests(
    bench: Bench, browser: Browser
) -> None:
    bench.configure(rate=1_000.0)  # waiting for turns, it would dial before somebody opts out
    async with bench.client() as client, hosting(browser, client) as host:
        campaign = await made(client)
        opt_out(bench.world)
        await host.show("get_campaign_status", **campaign)
        await expect(host.app.locator("#status")).to_have_text("running")
        bench.clock.advance(minutes=1)
        await host.page.clock.run_for(3_000)
        status = await client.call("get_campaign_status", **campaign)
        assert 0 < status["contacts_called"] < 25
        called = f"{status['contacts_called']} of 25 contacts called"
        await expect(host.app.locator("#counts")).to_contain_text(called)
        bench.clock.advance(hours=3)
        await host.page.clock.run_for(3_000)
        await expect(host.app.locator("#updated")).to_contain_text("finished")
        results = await client.call("get_campaign_results", **campaign)
        status = await client.call("get_campaign_status", **campaign)
        funnel, outcomes = await cells(host, "funnel"), await cells(host, "outcomes")
        calls = len(host.calls())
        await host.page.clock.run_for(600_000)
        context = [m for m in host.heard if m.get("method") == "ui/update-model-context"]
    found = {k: int(v) for k, v in (entry.split(": ") for entry in results["outcomes"])}
    assert int(funnel["Called"]) == status["contacts_called"]
    assert int(funnel["Connected"]) == status["contacts_connected"]
    assert int(funnel["Failed"]) == found.get("failed", 0) + found["blocked"]
    assert {
        k.replace("connected", "completed").replace(" ", "_"): int(v) for k, v in outcomes.items()
    } == found
    assert len(host.calls()) == calls
    (told,) = [m["params"]["content"][0]["text"] for m in context]
    assert "is now completed and finished: 24 of 25 called" in told
    assert host.complaints == []


@pytest.mark.parametrize(("where", "bare_errors"), [("http", False), ("memory", True)])
async def test_it_pauses_at_once_and_resumes_only_after_the_question(
    bench: Bench, browser: Browser, where: Any, *, bare_errors: bool
) -> None:
    async with (
        connected(bench, where, "2026-07-28", None) as client,
        hosting(browser, client, bare_errors=bare_errors) as host,
    ):
        campaign = await made(client, started=False)
        token = await client.token("start_campaign", **campaign)
        await client.call("start_campaign", **campaign, confirm_token=token)
        await host.show("watch_campaign", **campaign, wait_seconds=1)
        await host.app.get_by_role("button", name="Pause").click()
        await expect(host.app.locator("#status")).to_have_text("paused")
        await host.app.get_by_role("button", name="Resume").click()
        question = host.app.get_by_role("dialog")
        await expect(question).to_contain_text('Resume campaign "January renewals"')
        await expect(question).to_contain_text("not called yet")
        await expect(question).to_contain_text("Place simulated calls?")
        await question.get_by_role("button", name="No, go back").click()
        await expect(question).to_be_hidden()
        await expect(host.app.get_by_role("button", name="Resume")).to_be_enabled()
        assert bench.wire.changes.count("start") == 1
        await host.app.get_by_role("button", name="Resume").click()
        await question.get_by_role("button", name="Yes, place simulated calls").click()
        await expect(host.app.locator("#status")).to_have_text("running")
        assert bench.wire.changes.count("start") == 2
    assert host.complaints == []


async def test_where_the_host_asks_itself_the_page_does_not_ask_again(
    bench: Bench, browser: Browser
) -> None:
    async with bench.client(answer=says_yes) as client, hosting(browser, client) as host:
        await host.show("get_campaign_status", **await made(client, started=False))
        await host.app.get_by_role("button", name="Start").click()
        await expect(host.app.locator("#status")).to_have_text("running")
        await expect(host.app.get_by_role("dialog")).to_be_hidden()
    assert len(bench.questions) == 1


async def test_the_host_is_asked_for_room_for_the_question(bench: Bench, browser: Browser) -> None:
    async with bench.client(answer=None) as client, hosting(browser, client) as host:
        await host.show("get_campaign_status", **await made(client, started=False))
        await host.app.get_by_role("button", name="Start").click()
        question = host.app.get_by_role("dialog")
        await expect(question).to_contain_text("Note:")
        box = await question.bounding_box()
        while max(host.heights()) < 400:
            await host.page.wait_for_timeout(1)
    assert box is not None
    assert box["y"] + box["height"] <= max(host.heights())


async def test_a_keyboard_is_enough_and_focus_is_not_lost(bench: Bench, browser: Browser) -> None:
    async with bench.client(answer=None) as client, hosting(browser, client) as host:
        await host.show("preview_campaign", **await made(client, started=False))
        keys, focused = host.page.keyboard, host.app.locator(":focus")
        await expect(host.app.get_by_role("button", name="Start")).to_be_visible()
        await host.app.locator("body").click(position={"x": 2, "y": 2})
        await keys.press("Tab")
        await expect(focused).to_have_text("Start simulated calls")
        await keys.press("Enter")
        await expect(focused).to_have_text("No, go back")
        await keys.press("Escape")
        await expect(host.app.get_by_role("dialog")).to_be_hidden()
        await expect(focused).to_have_text("Start simulated calls")
        await keys.press("Enter")
        await expect(focused).to_have_text("No, go back")
        await keys.press("Tab")
        await expect(focused).to_have_text("Yes, place simulated calls")
        await keys.press("Enter")
        await expect(focused).to_have_text("Pause")
        await keys.press("Enter")
        await expect(focused).to_have_text("Resume simulated calls")
        width = await focused.evaluate("node => getComputedStyle(node).outlineWidth")
    assert bench.wire.changes.count("pause") == 1
    assert width == "3px"


async def test_names_from_outside_stay_text(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        campaign = await made(client, name=HOSTILE)
        await host.show("get_campaign_status", **campaign)
        await expect(host.app.locator("h1")).to_have_text(HOSTILE)
        assert await host.app.locator("img, b").count() == 0
        assert await host.app.title() == "Campaign monitor"
        context = [m for m in host.heard if m.get("method") == "ui/update-model-context"]
    assert HOSTILE not in str(context)
    assert host.complaints == []


@pytest.mark.parametrize(
    ("theme", "scheme", "dark"),
    [
        ("dark", "light", True),
        ("light", "dark", False),
        (None, "dark", True),
        (None, "light", False),
    ],
)
async def test_the_hosts_theme_wins_over_the_systems(
    bench: Bench, browser: Browser, theme: str | None, scheme: str, *, dark: bool
) -> None:
    async with (
        bench.client() as client,
        hosting(browser, client, theme=theme, scheme=scheme) as host,
    ):
        await host.show("get_campaign_status", **await made(client))
        background = await host.app.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(20, 23, 28)" if dark else "rgb(255, 255, 255)")
        await host.tell("ui/notifications/host-context-changed", {"theme": "light"})
        body = host.app.locator("body")
        await expect(body).to_have_css("background-color", "rgb(255, 255, 255)")


async def test_it_takes_the_hosts_colours_but_nothing_that_would_load(
    bench: Bench, browser: Browser
) -> None:
    variables = {
        "--color-background-primary": "rgb(1, 2, 3)",
        "--font-sans": "url(http://evil.test/font)",
    }
    async with bench.client() as client, hosting(browser, client, variables=variables) as host:
        await expect(host.app.locator("body")).to_have_css("background-color", "rgb(1, 2, 3)")
        style = await host.app.evaluate("document.documentElement.style.cssText")
    assert "evil" not in style


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tool", ["get_campaign_status", "preview_campaign"])
async def test_axe_finds_no_barrier(bench: Bench, browser: Browser, theme: str, tool: str) -> None:
    async with bench.client() as client, hosting(browser, client, theme=theme) as host:
        campaign = await made(client, started=tool == "get_campaign_status")
        bench.clock.advance(minutes=1)
        await host.show(tool, **campaign)
        await expect(host.app.locator("h1")).to_have_text("January renewals")
        found = await cast("Any", Axe()).run(host.app)  # untyped; a frame does for a page
    assert found.response["violations"] == []
    assert {"color-contrast", "landmark-one-main"} <= {r["id"] for r in found.response["passes"]}


async def test_nothing_is_loaded_and_nothing_is_called_without_the_hosts_leave(
    bench: Bench, browser: Browser
) -> None:
    async with bench.client() as client, hosting(browser, client, server_tools=False) as host:
        await host.show("get_campaign_status", **await made(client))
        await expect(host.app.locator("#updated")).to_contain_text("not live")
        await host.page.clock.run_for(60_000)
        assert await host.app.locator("button:visible").count() == 0
    assert host.requests == [f"{ADDRESS}/", f"{ADDRESS}/app"]
    assert host.calls() == []
    assert host.heights()[-1] > 200
    assert host.complaints == []


async def test_a_teardown_is_answered_and_ends_the_polling(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        await host.show("get_campaign_status", **await made(client))
        await expect(host.app.locator("#counts")).to_contain_text("of 25")
        await host.tell("ping", number=71)
        await host.tell("ui/resource-teardown", {"reason": "closed"}, number=72)
        await expect(host.app.locator("#updated")).to_contain_text("not live")
        calls = len(host.calls())
        await host.page.clock.run_for(120_000)
        answered = [m["id"] for m in host.heard if "result" in m and not m.get("method")]
    assert len(host.calls()) == calls
    assert {71, 72} <= set(answered)


async def test_only_the_host_is_listened_to(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        await host.show("get_campaign_status", **await made(client))
        await expect(host.app.locator("h1")).to_have_text("January renewals")
        forged = {"structuredContent": {"status": "failed", "name": "Forged"}}
        message = {"jsonrpc": "2.0", "method": "ui/notifications/tool-result", "params": forged}
        await host.app.evaluate("message => window.postMessage(message, '*')", message)
        await host.tell("ping", number=5)
        await expect(host.app.locator("h1")).to_have_text("January renewals")


async def test_a_preview_shows_problems_first_and_the_zones(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        csv = "phone\n+12025550111\n+12025550112\n+912268093561\n+18005550111"
        audience = await client.call("create_audience", name="List", csv=csv)
        campaign = await made(client, started=False, audience_id=audience["audience_id"])
        preview = await client.call("preview_campaign", **campaign)
        await host.show("preview_campaign", **campaign)
        rows = host.app.locator("#zones tr")
        await expect(rows).to_have_count(len(preview["zones"]))
        shown = [await row.inner_text() for row in await rows.all()]
        problems = await host.app.locator("#findings li").all_inner_texts()
        heads = await host.app.locator("h2:visible").all_inner_texts()
    # A name may break after its slashes.
    shown = [text.replace("\u200b", "") for text in shown]
    zones = [row["zone"].replace("_", " ") for row in preview["zones"]]
    assert [text.split("\t")[0] for text in shown] == zones
    assert "America/New York\t2\t07:00\tno" in shown[0]
    assert len(problems) == len(preview["findings"])
    assert heads[0] == "Problems"


async def test_what_cannot_be_read_is_said_and_tried_again(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client) as host:
        campaign = await made(client, started=False)
        await host.show("get_campaign_status", **campaign)
        await expect(host.app.locator("#status")).to_have_text("draft")
        await client.call("delete_campaign", **campaign)
        await host.page.clock.run_for(15_000)
        await expect(host.app.get_by_role("alert")).to_contain_text("Not up to date")
        await expect(host.app.locator("#updated")).to_contain_text("finished")


async def test_nothing_is_cut_off_in_a_narrow_window(bench: Bench, browser: Browser) -> None:
    async with bench.client() as client, hosting(browser, client, width=320) as host:
        campaign = await made(client, started=False)
        await host.show("preview_campaign", **campaign)
        await expect(host.app.locator("#zones tr").first).to_be_visible()
        wide = "document.documentElement.scrollWidth"
        plan = await host.app.evaluate(wide)
        await client.call("start_campaign", **campaign)
        bench.clock.advance(minutes=1)
        await host.show("get_campaign_status", **campaign)
        await expect(host.app.locator("#outcomes tr").first).to_be_visible()
        assert (plan, await host.app.evaluate(wide)) == (320, 320)


def test_the_page_is_small_and_loads_nothing() -> None:
    text = PAGE.read_text("utf-8")
    assert len(text.encode()) < 38 * 1024
    assert "innerHTML" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
