"""Sessions of the older era: one tenant cannot take all of them."""

import pytest

from atoms_campaigns_mcp.server.http.middleware.session_limits import IDLE, SessionLimits
from tests.support.bench import Bench
from tests.support.process import INITIALIZE
from tests.support.team import ACCEPT, ANNA, BERT, LEGACY, Team, serving_team

pytestmark = pytest.mark.anyio
OPENING = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE}


@pytest.fixture(autouse=True)
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionLimits.__init__, "__defaults__", (3,))


async def opened(team: Team, key: str) -> int:
    async with team.http(key) as http:
        return (await http.post("/mcp", json=OPENING, headers=ACCEPT)).status_code


@pytest.mark.slow
async def test_a_tenant_has_so_many_sessions_and_others_do_not_notice(bench: Bench) -> None:
    async with serving_team(bench) as team:
        assert [await opened(team, ANNA) for _ in range(3)] == [200] * 3
        async with team.http(ANNA) as http:
            refused = await http.post("/mcp", json=OPENING, headers=ACCEPT)
        assert refused.status_code == 429
        assert "DELETE with their Mcp-Session-Id" in refused.json()["error_description"]
        assert refused.headers["retry-after"] == "60"
        assert await opened(team, BERT) == 200
        # The newer era has none.
        assert (await team.post(ANNA, "tools/list")).status_code == 200


@pytest.mark.slow
async def test_a_session_that_was_ended_makes_room(bench: Bench) -> None:
    async with serving_team(bench) as team:
        first, *_ = [await team.session(ANNA) for _ in range(3)]
        async with team.http(ANNA, Mcp_Session_Id=first) as http, team.http(BERT) as his:
            named = {**ACCEPT, **LEGACY, "Mcp-Session-Id": first}
            assert (await his.delete("/mcp", headers=named)).status_code == 404
            assert await opened(team, ANNA) == 429
            assert (await http.delete("/mcp", headers={**ACCEPT, **LEGACY})).status_code == 200
        assert [await opened(team, ANNA) for _ in range(2)] == [200, 429]


@pytest.mark.slow
async def test_a_session_that_nobody_used_for_long_makes_room_and_one_in_use_does_not(
    bench: Bench,
) -> None:
    async with serving_team(bench) as team:
        used, *_ = [await team.session(ANNA) for _ in range(3)]
        bench.clock.advance(seconds=IDLE - 1)
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        async with team.http(ANNA, Mcp_Session_Id=used) as http:
            answer = await http.post("/mcp", json=ping, headers={**ACCEPT, **LEGACY})
            assert answer.status_code == 200
        assert await opened(team, ANNA) == 429
        bench.clock.advance(seconds=2)
        assert [await opened(team, ANNA) for _ in range(3)] == [200, 200, 429]


@pytest.mark.slow
async def test_what_is_no_opening_takes_no_session(bench: Bench) -> None:
    wrong = {"jsonrpc": "2.0", "id": 0, "method": "tools/list"}
    async with serving_team(bench) as team:
        async with team.http(ANNA) as http:
            for _ in range(4):
                assert (await http.post("/mcp", json=wrong, headers=ACCEPT)).status_code == 400
        assert await opened(team, ANNA) == 200
