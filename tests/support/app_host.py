"""A small MCP Apps host: our page in a real browser, sandboxed, over our real server."""

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import Browser, Frame, Page, Route, async_playwright

from tests.support.serving import Caller

BRIDGE = Path(__file__).with_name("app_host.html").read_text("utf-8")
ADDRESS = "http://host.test"
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; connect-src 'none'"
)
MOMENT = datetime(2027, 1, 4, 12, tzinfo=UTC)
MONITOR = "ui://atoms/monitor"
NAMES = ("chromium", "chromium-browser", "google-chrome")


@asynccontextmanager
async def browsing() -> AsyncGenerator[Browser]:
    """Start the system's Chromium; a gate must have one, a user's machine need not."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("the gate needs Chromium (Debian: apt-get install chromium)")
        pytest.skip("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Host:
    """Speaks the bridge with the page, and records all that the page does.

    With `bare_errors` the data of a failed call is dropped, as some hosts do.
    """

    caller: Caller
    page: Page
    capabilities: dict[str, Any]
    context: dict[str, Any]
    bare_errors: bool
    heard: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    requests: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])

    @property
    def app(self) -> Frame:
        """The page under test."""
        return self.page.frames[1]

    def calls(self) -> list[str]:
        """The tools that the page has called, in order."""
        return [m["params"]["name"] for m in self.heard if m.get("method") == "tools/call"]

    def heights(self) -> list[int]:
        """The heights that the page has asked for, in order."""
        told = [m for m in self.heard if m.get("method") == "ui/notifications/size-changed"]
        return [message["params"]["height"] for message in told]

    async def hear(self, message: dict[str, Any]) -> Any:
        self.heard.append(message)
        method, params = message.get("method"), cast("dict[str, Any]", message.get("params") or {})
        if method == "ui/initialize":
            return {
                "protocolVersion": "2026-01-26",
                "hostInfo": {"name": "mini", "version": "1"},
                "hostCapabilities": self.capabilities,
                "hostContext": self.context,
            }
        if method == "tools/call":
            result = await self.caller.raw(params["name"], **params["arguments"])
            told = result.model_dump(mode="json", by_alias=True, exclude_none=True)
            if result.is_error and self.bare_errors:
                del told["structuredContent"]
            return told
        return {}

    async def tell(self, method: str, params: Any = None, number: int | None = None) -> None:
        """Send a notification, or with a number a request, to the page."""
        message: dict[str, Any] = {"method": method, "params": params or {}}
        await self.page.evaluate(
            "message => tell(message)", message | ({"id": number} if number else {})
        )

    async def show(self, tool: str, **arguments: Any) -> None:
        """Do what a host does when the model has called a tool that has a page."""
        result = await self.caller.raw(tool, **arguments)
        told = result.model_dump(mode="json", by_alias=True, exclude_none=True)
        await self.tell("ui/notifications/tool-input", {"arguments": arguments})
        await self.tell("ui/notifications/tool-result", told)

    async def _serve(self, route: Route) -> None:
        url = route.request.url
        self.requests.append(url)
        if url == f"{ADDRESS}/":
            await route.fulfill(body=BRIDGE, content_type="text/html")
        elif url == f"{ADDRESS}/app":
            (content,) = (await self.caller.client.read_resource(MONITOR)).contents
            await route.fulfill(
                body=getattr(content, "text", ""),
                headers={"Content-Type": "text/html", "Content-Security-Policy": POLICY},
            )
        else:
            await route.abort()

    async def open(self) -> None:
        """Load host and page; the browser's time stands still until it is told to run."""
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await self.page.clock.install(time=MOMENT)
        await self.page.context.route("**", self._serve)
        await cast("Any", self.page).expose_function("hear", self.hear)  # partly untyped
        await self.page.goto(ADDRESS)
        await self.page.wait_for_function("() => document.readyState === 'complete'")


@asynccontextmanager
async def hosting(
    browser: Browser,
    caller: Caller,
    *,
    theme: str | None = "light",
    scheme: Any = "light",
    variables: dict[str, str] | None = None,
    server_tools: bool = True,
    bare_errors: bool = False,
    width: int = 760,
    height: int = 900,
) -> AsyncGenerator[Host]:
    """Open the page in a fresh browser profile."""
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
        timezone_id="UTC",
        locale="en-GB",
    )
    try:
        styles = {"styles": {"variables": variables}} if variables else {}
        host = Host(
            caller,
            await context.new_page(),
            {"updateModelContext": {}, **({"serverTools": {}} if server_tools else {})},
            {"locale": "en-GB", "timeZone": "UTC", **styles, **({"theme": theme} if theme else {})},
            bare_errors,
        )
        await host.open()
        yield host
    finally:
        await context.close()
