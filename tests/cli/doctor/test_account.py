"""What `doctor` says of the key, the API and the account, in the sandbox and live."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx2
import pytest

from atoms_campaigns_mcp.cli.doctor.command import examine
from tests.cli.doctor.examining import KEY, answering, found, patient, slowly, telling
from tests.support.bench import Bench
from tests.support.tampering import alter, fail

pytestmark = pytest.mark.anyio


async def test_a_fresh_machine_without_a_key_is_all_green(tmp_path: Path, bench: Bench) -> None:
    checks = await found(patient(tmp_path, bench))
    assert {check.status for check in checks.values()} == {"ok"}
    assert list(checks) == [
        "python",
        "package",
        "limits",
        "api",
        "clock",
        "key",
        "rate",
        "call slots",
        "balance",
        "guard",
        "state",
        "permissions",
        "clients",
    ]
    assert "nobody is called" in checks["key"].text
    assert not bench.wire.requests


async def test_a_good_key_is_all_green_and_named_by_its_organization(
    tmp_path: Path, bench: Bench
) -> None:
    telling(bench, date=format_datetime(bench.clock.now(), usegmt=True))
    checks = await found(patient(tmp_path, bench, live=True))
    assert {check.status for check in checks.values()} == {"ok"}
    assert 'The mode is live: organization "Sandbox"' in checks["key"].text
    assert "api.smallest.ai answers in 0 ms" in checks["api"].text
    assert "0 of 20 in use" in checks["call slots"].text
    assert "USD" in checks["balance"].text
    assert {request.method for request in bench.wire.requests} == {"GET"}


async def test_no_line_holds_the_key(tmp_path: Path, bench: Bench) -> None:
    fail(bench, "*", status=401)
    checks = await examine({}, patient(tmp_path, bench, live=True))
    assert KEY not in repr(checks)


async def test_a_key_that_is_refused_is_told_where_to_get_another(
    tmp_path: Path, bench: Bench
) -> None:
    fail(bench, "*", status=401)
    checks = await found(patient(tmp_path, bench, live=True))
    assert (checks["api"].status, checks["key"].status) == ("ok", "failed")
    assert "dashboard" in checks["key"].fix
    assert "balance" not in checks


async def test_an_api_out_of_reach_leaves_the_other_checks(tmp_path: Path, bench: Bench) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route", request=request)

    answering(bench, refuse)
    checks = await found(patient(tmp_path, bench, live=True))
    assert checks["api"].status == "failed"
    assert "HTTPS_PROXY" in checks["api"].fix
    assert "key" not in checks
    assert {checks[name].status for name in ("state", "permissions", "clients")} == {"ok"}
    assert len(bench.wire.requests) == 1


@pytest.mark.parametrize(("status", "fix"), [(503, "Try again"), (404, "ATOMS_API_URL")])
async def test_an_api_that_answers_with_a_fault_is_told_from_a_wrong_address(
    status: int, fix: str, tmp_path: Path, bench: Bench
) -> None:
    fail(bench, "*", status=status)
    checks = await found(patient(tmp_path, bench, live=True))
    assert checks["api"].status == "failed"
    assert fix in checks["api"].fix
    assert "key" not in checks


async def test_a_slow_api_is_a_warning(tmp_path: Path, bench: Bench) -> None:
    slowly(bench, 2.5)
    api = (await found(patient(tmp_path, bench, live=True)))["api"]
    assert api.status == "warning"
    assert "2500 ms" in api.text


@pytest.mark.parametrize(
    ("behind", "status", "text"),
    [
        (20, "ok", "20 s behind"),
        (-20, "ok", "20 s ahead of"),
        (60, "warning", "60 s behind"),
        (-60, "warning", "60 s ahead of"),
        (600, "failed", "600 s behind"),
    ],
)
async def test_our_clock_is_compared_with_the_date_of_an_answer(
    behind: int, status: str, text: str, tmp_path: Path, bench: Bench
) -> None:
    theirs = bench.clock.now() + timedelta(seconds=behind)
    telling(bench, date=format_datetime(theirs, usegmt=True))
    clock = (await found(patient(tmp_path, bench, live=True)))["clock"]
    assert (clock.status, text in clock.text) == (status, True)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 04 Jan 2027 12:00:00 -0000"])
async def test_a_date_that_cannot_be_read_is_not_compared(
    date: str, tmp_path: Path, bench: Bench
) -> None:
    telling(bench, date=date)
    clock = (await found(patient(tmp_path, bench, live=True)))["clock"]
    assert clock.status == "warning"
    assert "Not compared" in clock.text


@pytest.mark.parametrize(
    ("plan", "rate", "status"),
    [
        ("plan_free", "10", "ok"),
        ("plan_free", "11", "warning"),
        ("plan_pro", "100", "ok"),
        ("plan_pro", "101", "warning"),
    ],
)
async def test_the_rate_is_held_against_what_is_documented_for_the_plan(
    plan: str, rate: str, status: str, tmp_path: Path, bench: Bench
) -> None:
    alter(bench, "GET /payment/v1/credits/balance", lambda data: {**data, "planId": plan})
    checks = await found(patient(tmp_path, bench, live=True, ATOMS_MCP_RATE=rate))
    assert checks["rate"].status == status
    assert f"{rate} requests a second" in checks["rate"].text
    assert plan in checks["rate"].text


async def test_slots_that_are_all_in_use_are_a_warning(tmp_path: Path, bench: Bench) -> None:
    def full(data: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
        return {**data, "pagination": {**data["pagination"], "total": 20}}

    alter(bench, "GET /conversation*", full)
    slots = (await found(patient(tmp_path, bench, live=True)))["call slots"]
    assert (slots.status, "20 of 20" in slots.text) == ("warning", True)


async def test_an_empty_balance_fails(tmp_path: Path, bench: Bench) -> None:
    alter(bench, "GET /payment/v1/credits/balance", lambda data: {**data, "creditBalance": 0})
    assert (await found(patient(tmp_path, bench, live=True)))["balance"].status == "failed"


async def test_what_the_api_does_not_tell_is_a_warning_of_its_own(
    tmp_path: Path, bench: Bench
) -> None:
    fail(bench, "GET /payment/v1/credits/balance", "GET /concurrency")
    checks = await found(patient(tmp_path, bench, live=True))
    assert (checks["key"].status, checks["rate"].status) == ("ok", "ok")
    assert (checks["balance"].status, checks["call slots"].status) == ("warning", "warning")
