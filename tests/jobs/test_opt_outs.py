"""A list says itself whom not to call: nobody of them is called unless the user wants it so."""

import pytest

from tests.support.bench import Bench
from tests.support.serving import text_of
from tests.support.world import AUDIENCE, DRAFT

pytestmark = pytest.mark.anyio
LIST = (
    "phone,name,Do Not Call\n"
    "+14155550177,Ada,no\n"
    "+14155550178,Bob,yes\n"
    "+14155550179,Cid,\n"
    "+14155550177,Ada again,YES\n"
    "+14155550180,Dan,FALSE\n"
)


async def test_whom_a_list_says_not_to_call_is_left_out_and_counted(bench: Bench) -> None:
    async with bench.client() as client:
        made = await client.call("create_audience", name="Callers", csv=LIST)
        looked = await client.call("get_audience", audience_id=made["audience_id"])
    assert (made["contacts"], made["excluded"], made["duplicates"]) == (2, ["opted_out: 2"], 1)
    assert any('"Do Not Call" says not to call rows 3, 5' in note for note in made["notes"])
    assert (looked["total"], looked["opted_out"]) == (2, 0)


async def test_who_is_taken_all_the_same_is_counted_and_warned_of_before_a_start(
    bench: Bench,
) -> None:
    async with bench.client() as client:
        made = await client.call("create_audience", name="Callers", csv=LIST, exclude_dnc=False)
        looked = await client.raw("get_audience", audience_id=made["audience_id"])
        draft = await client.call(
            "create_campaign", **{**DRAFT, "audience_id": made["audience_id"]}
        )
        preview = await client.call("preview_campaign", campaign_id=draft["campaign_id"])
        others = await client.call(
            "create_audience", name="Others", from_audience_id=made["audience_id"]
        )
    assert (made["contacts"], made["excluded"]) == (4, [])
    assert looked.structured_content is not None
    assert looked.structured_content["opted_out"] == 2
    assert "opted out in their own columns: 2" in text_of(looked)
    (finding,) = [row for row in preview["findings"] if row["rule"] == "opted_out"]
    assert (finding["severity"], finding["reason"][:10]) == ("warn", "2 contacts")
    (check,) = [row for row in preview["checks"] if row["check"] == "do_not_call"]
    assert (check["verdict"], "2 opted out" in check["result"]) == ("warn", True)
    assert (others["contacts"], others["excluded"]) == (2, ["opted_out: 2"])


async def test_whom_a_list_says_not_to_call_is_not_added_to_an_audience(bench: Bench) -> None:
    async with bench.client() as client:
        added = await client.call("add_contacts", audience_id=AUDIENCE, csv=LIST)
        text = await client.refused(
            "add_contacts", audience_id=AUDIENCE, csv="phone,DNC\n+14155550181,x\n"
        )
    assert added["added"] == 2
    assert any("2 contacts" in note and "left out" in note for note in added["notes"])
    assert "Nobody is left" in text
