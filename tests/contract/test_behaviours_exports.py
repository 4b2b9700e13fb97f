"""The two exports of a campaign."""

import csv
from io import StringIO
from typing import Any

import pytest

from tests.contract.driver import UNKNOWN, Driver, behaviour, driving, only

pytestmark = pytest.mark.anyio

GROUPED = "/campaign/{}/export/by-audience-member"
FLAT = "/campaign/{}/logs/export"


async def table(api: Driver, campaign: str) -> list[dict[str, str]]:
    response = await api.http.get(GROUPED.format(campaign), params={"format": "csv"})
    assert response.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(response.text, newline="")))


async def seeded(api: Driver) -> str:
    return (await api.get("/campaign"))["campaigns"][0]["_id"]


@behaviour("export.contacts.json-without-envelope")
async def test_contacts_are_exported_as_json_without_an_envelope(api: Driver) -> None:
    campaign = await seeded(api)
    response = await api.http.get(GROUPED.format(campaign))
    assert response.headers["content-disposition"].startswith("attachment")
    body = response.json()
    assert body.keys() == {"campaign", "exportedAt", "totalAudienceMembers", "data"}
    assert body["campaign"] == "Spring renewals, first round"
    assert body["totalAudienceMembers"] == len(body["data"]) == 25


@behaviour("export.contacts.json-without-envelope")
async def test_every_attempt_hangs_off_its_contact() -> None:
    async with driving(odds=only("no_answer")) as api:
        campaign = await api.started(maxRetries=2, retryDelay=1)
        api.later(minutes=15)
        for row in (await api.export(campaign))["data"]:
            assert row["totalAttempts"] == 3
            assert row["originalCall"]["retryAttemptNumber"] == 0
            assert [call["retryAttemptNumber"] for call in row["retryAttempts"]] == [1, 2]
            assert (row["totalCallDuration"], row["totalCallCost"]) == (0, 0)
            assert row["audienceMemberData"]["phoneNumber"] == row["phoneNumber"]


@behaviour("export.contacts.final-status")
@pytest.mark.parametrize(
    ("outcome", "seconds", "status"),
    [
        ("connected", 600, "completed"),
        ("no_answer", 1800, "failed"),
        ("failed", 1800, "failed"),
        ("no_answer", 120, "no_answer"),
        ("busy", 1800, "failed"),
    ],
)
async def test_the_final_status_tells_what_became_of_a_contact(
    outcome: str, seconds: int, status: str
) -> None:
    async with driving(odds=only(outcome)) as api:
        campaign = await api.started(maxRetries=1, retryDelay=10)
        api.later(seconds=seconds)
        rows = (await api.export(campaign))["data"]
        assert {row["finalStatus"] for row in rows} == {status}
        if status == "failed" and outcome != "failed":
            attempts = {row["originalCall"]["status"] for row in rows}
            assert attempts == {"no_answer"}


@behaviour("export.contacts.final-status")
async def test_a_contact_that_was_never_dialled_is_pending(api: Driver) -> None:
    (first, _) = (await api.export(await api.draft()))["data"]
    assert (first["finalStatus"], first["originalCall"]) == ("pending", None)
    assert (first["totalAttempts"], first["retryAttempts"]) == (0, [])


@behaviour("export.csv.one-row-per-attempt")
async def test_the_table_has_one_row_for_each_attempt() -> None:
    async with driving(odds=only("no_answer")) as api:
        audience = await api.audience(
            'phoneNumber,name,city\n+12025550110,"Lovelace, Ada",Pune\n+12025550111,Grace,X\n'
        )
        campaign = await api.started(audienceId=audience, maxRetries=1, retryDelay=1)
        api.later(minutes=10)
        rows = await table(api, campaign)
        head = (
            "audienceMemberId phoneNumber name city attempt callId status disconnectionReason"
            " duration callCost createdAt recordingUrl finalStatus"
        )
        assert list(rows[0])[:13] == head.split()
        assert len(rows[0]) > 13
        assert len(rows) == 4
        ada = [row for row in rows if row["name"] == "Lovelace, Ada"]
        assert len({row["audienceMemberId"] for row in ada}) == 1
        assert len({row["attempt"] for row in ada}) == 2
        assert {row["finalStatus"] for row in rows} == {"failed"}


@behaviour("export.csv.one-row-per-attempt")
async def test_the_table_agrees_with_the_json(api: Driver) -> None:
    campaign = await seeded(api)

    def attempts(row: Any) -> list[str]:
        return [call["callId"] for call in (row["originalCall"], *row["retryAttempts"]) if call]

    told = [call for row in (await api.export(campaign))["data"] for call in attempts(row)]
    rows = await table(api, campaign)
    assert [row["callId"] for row in rows if row["callId"]] == told


@behaviour("export.logs.json-array-as-download")
async def test_the_log_is_a_json_array_under_the_recorded_file_name(api: Driver) -> None:
    campaign = await api.started(seconds=3, name="Spring", maxRetries=0)
    api.later(minutes=5)
    response = await api.http.get(FLAT.format(campaign))
    name = "campaign-logs-Spring-2027-01-04T12:00:00.000Z.json"
    assert response.headers["content-type"].startswith("application/json")
    assert name in response.headers["content-disposition"]
    rows = response.json()
    assert {row["callId"] for row in rows} == {c["callId"] for c in await api.calls(campaign)}


@behaviour("export.logs.json-array-as-download")
@pytest.mark.parametrize("name", ['a";x=\r\nSet-Cookie: b', "Zoë's / 50 % \\ off", "..", "文字"])
async def test_no_name_of_a_campaign_breaks_the_download(api: Driver, name: str) -> None:
    campaign = await api.draft(name=name)
    for path in (GROUPED, FLAT):
        response = await api.http.get(path.format(campaign))
        assert response.status_code == 200
        assert "set-cookie" not in response.headers


@behaviour("export.unknown.404-and-400")
async def test_an_unknown_campaign_is_404_on_one_export_and_400_on_the_other(api: Driver) -> None:
    assert await api.refused("GET", GROUPED.format(UNKNOWN), 404) == ["Campaign not found"]
    errors = await api.refused("GET", FLAT.format(UNKNOWN))
    assert errors == [f"no campaign found for id {UNKNOWN}"]


@behaviour("export.unknown.404-and-400")
@pytest.mark.parametrize("path", [GROUPED, FLAT])
async def test_a_foreign_campaign_is_not_exported(api: Driver, path: str) -> None:
    other = {"Authorization": "Bearer sk_other"}
    await api.draft()
    campaign = (await api.get("/campaign"))["campaigns"][1]["_id"]
    status = 404 if path == GROUPED else 400
    await api.refused("GET", path.format(campaign), status, headers=other)


@behaviour("export.unknown.404-and-400")
@pytest.mark.parametrize(
    "more", ["nope/export/by-audience-member", "{}/export/by-audience-member?format=xlsx"]
)
async def test_a_malformed_export_is_refused_as_the_document_says(api: Driver, more: str) -> None:
    response = await api.careless.get(f"/campaign/{more.format(await seeded(api))}")
    assert response.status_code in (200, 404)
