"""A stop loses nothing of a list from which its own pauses take what it has not read yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from atoms_campaigns_mcp.toolkit.stopping import PAGE
from tests.support.far_away import ROUND_TRIP, FarAway, simulated

ALL_CLEAR = "Nothing else dials"


@dataclass
class Many:
    """An account with so many campaigns of one name that run; `slow` is what a list takes."""

    count: int
    slow: float = 0.0  # seconds that the list of what runs takes besides
    late: float = 0.0  # seconds until an accepted pause shows
    changing: bool = False  # each look at what runs finds another campaign gone
    rows: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def __post_init__(self) -> None:
        for number in range(self.count):
            one = f"{number:024x}"
            self.rows[one] = {"_id": one, "name": "Renewals", "status": "running"}

    def running(self) -> list[str]:
        return [one for one, row in self.rows.items() if row["status"] == "running"]

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/atoms/v1").split("/")[1:]
        if path == ["campaign"]:
            query = dict(request.url.params)
            if query.get("status") == "running":
                await anyio.sleep(self.slow)
            return done(self.list(query))
        if path[0] != "campaign":
            return done({"logs": [], "pagination": {"total": 0, "hasMore": False}})
        row = self.rows[path[1]]
        if request.method == "POST":
            if row["status"] != "running":
                return httpx2.Response(400, json={"status": False, "errors": ["not running"]})
            if not self.changing:
                await anyio.sleep(self.late)
                row["status"] = "paused"
            return done({})
        return done({"campaign": row, "events": []})

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        wanted = query.get("status")
        rows = [row for row in self.rows.values() if wanted in {None, row["status"]}]
        page, size = int(query["page"]), int(query["offset"])
        if self.changing and wanted == "running":
            rows[0]["status"] = "paused"
        return {
            "campaigns": rows[(page - 1) * size : page * size],
            "totalCount": len(rows),
            "hasMore": page * size < len(rows),
        }


def done(data: object) -> httpx2.Response:
    return httpx2.Response(200, json={"status": True, "data": data})


@pytest.mark.parametrize("named", ["all", "Renewals"])
@pytest.mark.parametrize(
    ("count", "slow", "late"),
    [
        (150, 0.8, 0.0),
        pytest.param(250, 0.0, 0.0, marks=pytest.mark.slow),
        pytest.param(350, 0.0, 0.0, marks=pytest.mark.slow),
        pytest.param(250, 0.3, 0.5, marks=pytest.mark.slow),
        pytest.param(350, 0.1, 0.2, marks=pytest.mark.slow),
        pytest.param(600, 0.0, 0.0, marks=pytest.mark.slow),
        pytest.param(2 * PAGE, 0.0, 0.0, marks=pytest.mark.slow),
    ],
)
def test_a_stop_pauses_all_however_many_run_and_its_pauses_leave_with_the_first_page(
    tmp_path: Path, named: str, count: int, slow: float, late: float
) -> None:
    many = Many(count, slow, late)

    async def live(far: FarAway) -> None:
        far.far.below = httpx2.MockTransport(many.answer)
        stopped, taken = await far.taken("pause_campaign", campaign_id=named)
        assert many.running() == []
        assert ALL_CLEAR in stopped["message"]
        first = next(sent for sent in taken.requests if sent.method == "POST")
        assert first.at <= ROUND_TRIP + slow + 0.001

    simulated(tmp_path, live)


@pytest.mark.slow
@pytest.mark.parametrize("named", ["all", "Renewals"])
def test_of_a_list_that_never_keeps_still_nothing_is_clear(tmp_path: Path, named: str) -> None:
    many = Many(250, changing=True)

    async def live(far: FarAway) -> None:
        far.far.below = httpx2.MockTransport(many.answer)
        stopped, _ = await far.taken("pause_campaign", campaign_id=named)
        assert ALL_CLEAR not in stopped["message"]
        assert "There may be more, which cannot be listed" in stopped["message"]
        assert "again at once" in stopped["next_step"]

    simulated(tmp_path, live)


@pytest.mark.parametrize("named", ["*", " * ", "'*'"])
def test_a_star_alone_names_nothing_and_is_answered_at_once(tmp_path: Path, named: str) -> None:
    many = Many(2)

    async def live(far: FarAway) -> None:
        far.far.below = httpx2.MockTransport(many.answer)
        told, taken = await far.taken("pause_campaign", campaign_id=named)
        assert len(many.running()) == len(told["campaigns"]) == 2
        assert (told["changed"], "all stops everything" in told["next_step"]) == (False, True)
        assert [sent.method for sent in taken.requests if sent.method != "GET"] == []
        assert taken.seconds <= 3 * ROUND_TRIP

    simulated(tmp_path, live)
