"""A fault of the server in one request of a stop keeps nothing else dialling."""

from pathlib import Path

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.toolkit.stopping import AT_ONCE, TURN
from tests.support.far_away import ROUND_TRIP, FarAway, simulated, started

IDS = [f"{number:024x}" for number in range(AT_ONCE * 3)]


def test_a_fault_in_one_pause_keeps_no_other_from_being_sent(tmp_path: Path) -> None:
    async def answer(request: httpx2.Request) -> httpx2.Response:
        if f"{IDS[0]}/pause" in request.url.path:
            raise ValueError("odd")
        return httpx2.Response(200, json={"status": True, "data": {}})

    async def live(far: FarAway) -> None:
        far.far.below = httpx2.MockTransport(answer)
        stopped, taken = await far.taken("pause_campaign", campaign_id=" ".join(IDS))
        paused = {sent.path.split("/")[2] for sent in taken.requests if sent.method == "POST"}
        assert paused == set(IDS)
        assert "1 could not be paused" in stopped["message"]
        assert "again at once" in stopped["next_step"]

    simulated(tmp_path, live)


def test_pauses_that_get_no_answer_keep_no_other_waiting_for_long(tmp_path: Path) -> None:
    async def live(far: FarAway) -> None:
        campaign = await started(far, "Renewals")
        below = far.far.below

        async def answer(request: httpx2.Request) -> httpx2.Response:
            if any(f"{one}/pause" in request.url.path for one in IDS):
                await anyio.sleep_forever()
            return await below.handle_async_request(request)

        far.far.below = httpx2.MockTransport(answer)
        ids = " ".join([*IDS[:AT_ONCE], campaign["campaign_id"]])
        stopped, taken = await far.taken("pause_campaign", campaign_id=ids)
        last = next(s for s in taken.requests if f"{campaign['campaign_id']}/pause" in s.path)
        assert last.at <= TURN + ROUND_TRIP
        assert [row["status"] for row in stopped["campaigns"]] == ["paused"]
        assert f"{AT_ONCE} could not be paused" in stopped["message"]

    simulated(tmp_path, live)


@pytest.mark.parametrize("named", ["all", "Renewals"])
def test_a_fault_in_one_list_keeps_what_another_names_from_no_pause(
    tmp_path: Path, named: str
) -> None:
    async def live(far: FarAway) -> None:
        campaign = await started(far, "Renewals")
        below = far.far.below

        async def answer(request: httpx2.Request) -> httpx2.Response:
            if request.url.params.get("status") == "processing":
                raise ValueError("odd")
            return await below.handle_async_request(request)

        far.far.below = httpx2.MockTransport(answer)
        stopped, _ = await far.taken("pause_campaign", campaign_id=named)
        assert [(row["id"], row["status"]) for row in stopped["campaigns"]] == [
            (campaign["campaign_id"], "paused")
        ]
        assert "Nothing else dials" not in stopped["message"]
        assert "There may be more, which cannot be listed" in stopped["message"]

    simulated(tmp_path, live)
