"""The comparison of a real account with the document, tried on the sandbox."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.contract.document import operations
from tests.contract.driver import ORIGIN, PREFIX, Driver, driving
from tests.contract.live import ReadOnly, Report, compare
from tests.contract.shapes import Difference
from tests.support.emulated import emulated, fronted
from tests.support.process import environment

pytestmark = pytest.mark.anyio
SECRET = "+14155550123"
ROOT = Path(__file__).parents[2]
KEY = "sk_of_a_real_account"
READ = {one.id for one in operations() if one.method == "GET"}


async def compared(api: Driver, change: Callable[[str, Any], Any] | None = None) -> Report:
    """Compare the sandbox, each answer as `change` makes it, by the last part of its path."""
    sandbox = httpx2.ASGITransport(app=create_app(api.world, sleep=api.clock.sleep))

    async def answer(request: httpx2.Request) -> httpx2.Response:
        response = await sandbox.handle_async_request(request)
        content = await response.aread()
        if change and request.url.path.startswith(PREFIX) and not request.url.query:
            body = change(request.url.path.rpartition("/")[2], json.loads(content))
            return httpx2.Response(response.status_code, json=body)
        kind = {"Content-Type": response.headers["content-type"]}
        return httpx2.Response(response.status_code, content=content, headers=kind)

    async with httpx2.AsyncClient(
        transport=ReadOnly(httpx2.MockTransport(answer)),
        base_url=f"{ORIGIN}{PREFIX}/",
        headers={"Authorization": "Bearer sk_sandbox"},
    ) as http:
        return await compare(http)


@pytest.mark.parametrize("completion", ["settled", "dispatched"])
async def test_an_account_like_the_document_differs_in_nothing(completion: Any) -> None:
    async with driving(completion=completion) as api:
        await api.started(seconds=20)
        report = await compared(api)
    assert report.differences == set()
    assert report.read.keys() == READ
    assert report.skipped == {}


async def test_what_is_missing_or_of_another_type_is_listed_without_a_value(api: Driver) -> None:
    def change(last: str, body: Any) -> Any:
        if last == "audience":
            del body["data"][0]["_id"]
            body["data"][0]["name"] = [SECRET]
            body["data"][0][SECRET] = {SECRET: SECRET}
        return body

    report = await compared(api, change)
    assert Difference("list_audiences", 200, ".data[*]", "_id is missing") in report.differences
    assert Difference("list_audiences", 200, ".data[*].name", "breaks type") in report.differences
    assert "get_audience" in report.skipped
    assert SECRET not in "\n".join(report.lines())


async def test_a_request_that_would_change_something_is_not_sent() -> None:
    sent: list[httpx2.Request] = []

    def remember(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200)

    async with httpx2.AsyncClient(transport=ReadOnly(httpx2.MockTransport(remember))) as http:
        await http.get(f"{ORIGIN}{PREFIX}/user")
        for method in ("POST", "DELETE", "PATCH", "PUT"):
            with pytest.raises(PermissionError):
                await http.request(method, f"{ORIGIN}{PREFIX}/campaign")
    assert [request.method for request in sent] == ["GET"]


def script(folder: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run the script as somebody with an account does."""
    return subprocess.run(
        [ROOT / "scripts" / "contract", *words],
        cwd=ROOT,
        env=environment(folder, **extra),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.slow
def test_the_script_reads_an_account_and_keeps_key_and_numbers_to_itself(tmp_path: Path) -> None:
    with emulated(tmp_path) as origin:
        url = f"{origin}/atoms/v1"
        done = script(tmp_path, "--live", SMALLEST_API_KEY=KEY, ATOMS_API_URL=url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"answers of {len(READ)} operations were compared" in done.stdout
    for secret in (KEY, "+9122", "+1202", "Outreach"):
        assert secret not in done.stdout + done.stderr


@pytest.mark.slow
def test_the_script_ends_with_1_if_something_differs(tmp_path: Path) -> None:
    with emulated(tmp_path) as origin, fronted(origin) as front:
        front.faults.append(("GET /atoms/v1/concurrency", 200, {"status": True, "data": SECRET}))
        url = f"{front.url}/atoms/v1"
        done = script(tmp_path, "--live", SMALLEST_API_KEY=KEY, ATOMS_API_URL=url)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "differs: get_concurrency 200 .data: breaks type" in done.stdout
    assert SECRET not in done.stdout


@pytest.mark.slow
def test_the_script_without_a_key_or_an_answer_says_so_and_ends_with_2(tmp_path: Path) -> None:
    keyless = script(tmp_path, "--live")
    assert (keyless.returncode, "SMALLEST_API_KEY" in keyless.stderr) == (2, True)
    nobody = {"SMALLEST_API_KEY": KEY, "ATOMS_API_URL": "http://127.0.0.1:9/atoms/v1"}
    away = script(tmp_path, "--live", **nobody)
    assert (away.returncode, "no answer" in away.stdout) == (2, True)
