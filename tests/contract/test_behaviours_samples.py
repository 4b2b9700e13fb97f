"""The user's own sample payloads replay word for word."""

from datetime import UTC, datetime
from typing import cast

import pytest

from tests.contract.driver import behaviour, driving
from tests.contract.samples import (
    AUDIENCE,
    CAMPAIGN,
    CREATE,
    CREATED,
    NUMBERS,
    PHONE,
    RUNNING_EXCERPT,
    STARTED,
    Json,
)
from tests.support.clock import FakeClock

pytestmark = pytest.mark.anyio

IN_JANUARY = datetime(2026, 1, 19, 8, tzinfo=UTC)
AS_CREATED = {
    **{name: CREATE[name] for name in ("name", "agentId", "audienceId", "phoneNumberIds")},
    "maxRetries": 2,
    "retryDelay": 30,
}


def excerpt(whole: Json, part: Json) -> Json:
    """What `whole` says where `part` says something."""
    return {
        key: excerpt(whole[key], cast("Json", value)) if isinstance(value, dict) else whole[key]
        for key, value in part.items()
    }


@behaviour("samples.numbers.replay")
async def test_the_sample_caller_id_is_there() -> None:
    async with driving() as api:
        body = (await api.http.get("/product/phone-numbers")).json()
        (sample,) = NUMBERS["data"]
        (own,) = [number for number in body["data"] if number["_id"] == PHONE]
        assert excerpt(own, sample) == sample
        assert body["status"] is True


@behaviour("samples.create.replay")
async def test_the_sample_request_makes_the_sample_campaign() -> None:
    async with driving() as api:
        body = (await api.http.post("/campaign", json=AS_CREATED)).json()
        assert excerpt(body, CREATED) == CREATED


@behaviour("samples.create.replay")
async def test_the_scheduled_sample_request_is_taken_at_its_time() -> None:
    async with driving(clock=FakeClock(IN_JANUARY)) as api:
        created = await api.post("/campaign", CREATE, 201)
        assert created["_id"] == CAMPAIGN
        assert created["status"] == "scheduled"
        sent = {name: value for name, value in CREATE.items() if name != "phoneNumberIds"}
        assert excerpt(created, sent) == sent


@behaviour("samples.start.replay")
async def test_the_sample_start_has_the_sample_task() -> None:
    async with driving() as api:
        await api.post("/campaign", AS_CREATED, 201)
        response = await api.http.post(f"/campaign/{CAMPAIGN}/start")
        assert (response.status_code, response.json()) == (202, STARTED)


@pytest.mark.slow
@behaviour("samples.status.replay")
async def test_the_sample_campaign_passes_through_the_sample_status() -> None:
    async with driving() as api:
        await api.post("/campaign", AS_CREATED, 201)
        await api.start(CAMPAIGN)
        expected = RUNNING_EXCERPT["data"]
        seen: list[Json] = []
        for _ in range(300):
            api.later(seconds=1)
            data = await api.get(f"/campaign/{CAMPAIGN}")
            executions = [
                excerpt(one, expected["campaign"]["executions"][0])
                for one in data["campaign"].get("executions", [])
            ]
            status = data["campaign"]["status"]
            campaign = {"status": status, "executions": executions}
            seen.append({"campaign": campaign, "metrics": data["metrics"]})
        assert expected in seen


@behaviour("samples.create.replay")
async def test_the_sample_audience_has_two_members_and_the_campaign_can_go() -> None:
    async with driving() as api:
        page = await api.get(f"/audience/{AUDIENCE}/members")
        assert page["totalCount"] == 2
        await api.post("/campaign", AS_CREATED, 201)
        response = await api.http.delete(f"/campaign/{CAMPAIGN}")
        assert (response.status_code, response.json()) == (200, {"status": True})


@behaviour("samples.create.replay")
async def test_the_samples_replay_for_every_key() -> None:
    async with driving() as first:
        await first.post("/campaign", AS_CREATED, 201)
        headers = {"Authorization": "Bearer sk_other"}
        created = await first.ok("POST", "/campaign", 201, json=AS_CREATED, headers=headers)
        assert created["_id"] == CAMPAIGN
        path = f"/campaign/{CAMPAIGN}/start"
        response = await first.http.post(path, headers=headers)
        assert response.json() == STARTED
        assert await first.status(CAMPAIGN) == "draft"
