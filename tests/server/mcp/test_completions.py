import httpx2
import pytest
from mcp_types import Completion, PromptReference, ResourceTemplateReference

from tests.support.bench import Bench
from tests.support.serving import ERAS, Caller
from tests.support.world import DRAFT

pytestmark = pytest.mark.anyio
LAUNCH = PromptReference(type="ref/prompt", name="launch_campaign")
REVIEW = PromptReference(type="ref/prompt", name="review_campaign")
SNAPSHOT = ResourceTemplateReference(type="ref/resource", uri="atoms://campaigns/{campaign_id}")


async def completed(
    client: Caller, name: str, typed: str, ref: PromptReference | ResourceTemplateReference = LAUNCH
) -> Completion:
    result = await client.client.complete(ref, {"name": name, "value": typed})
    return result.completion


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("typed", ["out", "OUT", "Outreach"])
async def test_the_beginning_of_an_agents_name_is_completed(
    bench: Bench, era: str, typed: str
) -> None:
    async with bench.client(era) as client:
        found = await completed(client, "agent_id", typed)
    assert (found.values, found.total, found.has_more) == (["Outreach"], 1, False)


async def test_archived_agents_are_not_offered(bench: Bench) -> None:
    async with bench.client() as client:
        found = await completed(client, "agent_id", "")
    assert sorted(found.values) == ["Follow-up", "Outreach"]


async def test_an_audience_is_completed_by_how_its_name_begins(bench: Bench) -> None:
    async with bench.client() as client:
        everything = await completed(client, "audience_id", "")
        spring = await completed(client, "audience_id", "sp")
        inner = await completed(client, "audience_id", "renewals")
    assert len(everything.values) == 3
    assert spring.values == ["Spring renewals"]
    assert inner.values == []


@pytest.mark.parametrize("ref", [REVIEW, SNAPSHOT], ids=["prompt", "resource"])
async def test_a_campaigns_id_is_completed_for_prompts_and_resources(
    bench: Bench, ref: PromptReference | ResourceTemplateReference
) -> None:
    async with bench.client() as client:
        made = await client.call("create_campaign", **DRAFT)
        everything = await completed(client, "campaign_id", "", ref)
        one = await completed(client, "campaign_id", made["campaign_id"][:20], ref)
        none = await completed(client, "campaign_id", "zz", ref)
    assert everything.values[0] == made["campaign_id"]
    assert everything.total == 2
    assert one.values == [made["campaign_id"]]
    assert (none.values, none.total) == ([], 0)


async def test_more_than_a_hundred_are_cut_and_said_to_be_more(bench: Bench) -> None:
    rows = [{"_id": f"{n:024x}", "name": f"C{n}"} for n in range(100)]
    page = {"campaigns": rows, "pagination": {"total": 500, "hasMore": True}}
    names = [{"_id": f"{n:024x}", "name": f"Audience {n}"} for n in range(250)]

    def answer(request: httpx2.Request) -> httpx2.Response:
        data = names if request.url.path.endswith("/audience") else page
        return httpx2.Response(200, json={"status": True, "data": data})

    bench.wire.below = httpx2.MockTransport(answer)
    async with bench.client() as client:
        campaigns = await completed(client, "campaign_id", "", REVIEW)
        audiences = await completed(client, "audience_id", "")
    assert (len(campaigns.values), campaigns.has_more) == (100, True)
    assert campaigns.total is None
    assert (len(audiences.values), audiences.has_more) == (100, True)


@pytest.mark.parametrize("name", ["goal", "confirm_token", "phone_ids", ""])
async def test_what_is_not_known_is_completed_by_nothing(bench: Bench, name: str) -> None:
    async with bench.client() as client:
        found = await completed(client, name, "x")
    assert found.values == []
    assert bench.wire.requests == []


async def test_an_api_that_is_away_completes_nothing_and_breaks_nothing(bench: Bench) -> None:
    sandbox = bench.wire.below
    bench.wire.below = httpx2.MockTransport(lambda _: httpx2.Response(503))
    async with bench.client() as client:
        found = await completed(client, "agent_id", "o")
        bench.wire.below = sandbox
        again = await completed(client, "agent_id", "o")
    assert (found.values, again.values) == ([], ["Outreach"])
