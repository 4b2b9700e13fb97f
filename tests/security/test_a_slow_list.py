"""An emergency stop waits for no list but the one that names a campaign."""

from pathlib import Path

import anyio
import httpx2
import pytest

from tests.support.far_away import ROUND_TRIP, FarAway, simulated, started


def hang(far: FarAway, **params: str) -> None:
    """Answer no request whose query holds these."""
    below = far.far.below

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "GET" and params.items() <= dict(request.url.params).items():
            await anyio.sleep_forever()
        return await below.handle_async_request(request)

    far.far.below = httpx2.MockTransport(answer)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("named", "params"),
    [
        ("all", {"status": "processing"}),
        ("Renewals", {"status": "processing"}),
        ("Renewals", {"search": "Renewals"}),
    ],
)
def test_what_is_listed_is_paused_although_another_list_does_not_come(
    tmp_path: Path, named: str, params: dict[str, str]
) -> None:
    async def live(far: FarAway) -> None:
        campaign = await started(far, "Renewals")
        hang(far, **params)
        stopped, taken = await far.taken("pause_campaign", campaign_id=named)
        assert [row["id"] for row in stopped["campaigns"]] == [campaign["campaign_id"]]
        assert stopped["campaigns"][0]["status"] == "paused"
        pause = next(sent for sent in taken.requests if sent.method == "POST")
        assert pause.at <= ROUND_TRIP + 0.001

    simulated(tmp_path, live)


@pytest.mark.slow
@pytest.mark.parametrize("named", ["all", "Renewals"])
def test_a_list_that_does_not_come_is_told(tmp_path: Path, named: str) -> None:
    async def live(far: FarAway) -> None:
        await started(far, "Renewals")
        hang(far, status="processing")
        stopped, _ = await far.taken("pause_campaign", campaign_id=named)
        assert "There may be more, which cannot be listed" in stopped["message"]
        assert "Nothing else dials" not in stopped["message"]
        assert "again at once" in stopped["next_step"]

    simulated(tmp_path, live)
