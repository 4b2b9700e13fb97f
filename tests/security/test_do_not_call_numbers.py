"""M4: a number that was written with spaces was not found on the do-not-call list."""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.previews import draft
from tests.support.troubles import listed, members

pytestmark = pytest.mark.anyio


def written(number: str) -> Any:
    """Have the audience hold its first number in another form."""

    def change(rows: list[Any]) -> list[Any]:
        first = {**rows[0], "data": {**rows[0]["data"], "phoneNumber": number}}
        return [first, *rows[1:]]

    return members(change)


FORMS = [
    "+1 202 555 0111",
    "+1 (202) 555-0111",
    "+1-202-555-0111",
    "+1.202.555.0111",
    " +12025550111 ",
    "tel:+12025550111",
    "\uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff11\uff11",
    "+1\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661\u0661\u0661",
    "\u200e+1\u2009202\u2009555\u20110111",
    "0012025550111",
    "12025550111",
]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["audience", "list"])
async def test_a_listed_number_is_found_however_it_is_written(
    bench: Bench, form: str, where: str
) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await listed(form if where == "list" else "+12025550111", "")(bench, client)
        if where == "audience":
            await written(form)(bench, client)
        text = await client.refused("start_campaign", **campaign)
    assert "1 contact on the do-not-call list (in the audience no. 1) (dnc)" in text
    assert "start" not in bench.wire.changes


@pytest.mark.slow
@pytest.mark.parametrize(
    "form", ["(202) 555-0111", "1 202 555 0111", "+1202555O111", "2025550111x4"]
)
@pytest.mark.parametrize("where", ["audience", "list"])
@pytest.mark.parametrize("required", [True, False])
async def test_a_number_that_cannot_be_read_is_unknown_and_never_clean(
    bench: Bench, form: str, where: str, required: Any
) -> None:
    bench.configure(require_dnc_clean=required)
    async with bench.client() as client:
        campaign = await draft(client)
        if where == "list":
            await listed(form, "")(bench, client)
        else:
            await written(form)(bench, client)
        preview = await client.call("preview_campaign", **campaign)
    (row,) = [row for row in preview["findings"] if row["rule"] == "dnc_unknown"]
    assert row["severity"] == ("block" if required else "unknown")
    assert preview["verdict"] == ("blocked" if required else "allowed")
    assert "555" not in str(preview["findings"])


async def test_what_is_no_number_at_all_fails_and_needs_no_comparing(bench: Bench) -> None:
    async with bench.client() as client:
        campaign = await draft(client)
        await written("12")(bench, client)
        preview = await client.call("preview_campaign", **campaign)
    rules = {row["rule"] for row in preview["findings"]}
    assert "invalid_numbers" in rules
    assert "dnc_unknown" not in rules
