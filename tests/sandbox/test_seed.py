"""What a new key finds."""

import pytest

from tests.sandbox.harness import Sandbox, draft

pytestmark = pytest.mark.anyio


async def test_the_first_of_everything_listed_is_usable(sandbox: Sandbox) -> None:
    agent = (await sandbox.get("/agent"))["agents"][0]
    audience = (await sandbox.get("/audience"))[0]
    number = (await sandbox.get("/product/phone-numbers"))[0]
    assert number["isActive"]
    assert not agent["archived"]
    body = draft(agentId=agent["_id"], audienceId=audience["_id"], phoneNumberIds=[number["_id"]])
    campaign = (await sandbox.call("POST", "/campaign", json=body))["_id"]
    await sandbox.start(campaign)
    sandbox.clock.advance(days=1)
    details = await sandbox.details(campaign)
    assert details["campaign"]["status"] == "completed"
    assert details["metrics"]["contacts_called"] == audience["memberCount"]


async def test_lists_hold_something_of_every_kind(sandbox: Sandbox) -> None:
    audiences = {row["name"]: row for row in await sandbox.get("/audience")}
    assert sorted(row["memberCount"] for row in audiences.values()) == [2, 25, 500]
    assert [row["name"] for row in audiences.values() if row["hasCampaigns"]] == ["Spring renewals"]
    archived = (await sandbox.get("/agent", archived="true"))["agents"]
    assert [agent["name"] for agent in archived] == ["Old survey"]
    numbers = await sandbox.get("/product/phone-numbers")
    assert [number["isActive"] for number in numbers] == [True, True, False]
    assert {number["attributes"]["countryCode"] for number in numbers} == {"IN", "US"}
    dnc = (await sandbox.get("/dnc"))["entries"]
    assert sum("agentId" in entry for entry in dnc) == 1


async def test_the_finished_campaign_has_results(sandbox: Sandbox) -> None:
    campaign = (await sandbox.get("/campaign"))["campaigns"][0]
    assert campaign["status"] == "completed"
    details = await sandbox.details(campaign["_id"])
    assert details["metrics"]["total_participants"] == 25
    assert details["metrics"]["contacts_called"] == 24
    assert 5 <= details["metrics"]["contacts_connected"] <= 20
    rows = await sandbox.get(f"/campaign/{campaign['_id']}/export/by-audience-member")
    assert {row["finalStatus"] for row in rows} == {"completed", "failed", "blocked"}


async def test_another_key_finds_a_world_of_its_own(sandbox: Sandbox) -> None:
    other = sandbox.as_key("sk_other")
    mine, theirs = await sandbox.get("/user"), await other.get("/user")
    assert mine["organizationId"] != theirs["organizationId"]
    for path in ("/product/phone-numbers", "/audience"):
        assert (await sandbox.get(path))[0]["_id"] == (await other.get(path))[0]["_id"]
    await sandbox.create()
    assert len((await other.get("/campaign"))["campaigns"]) == 1
    await other.http.aclose()
