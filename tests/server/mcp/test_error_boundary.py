"""What a client learns of a fault of ours outside tool calls."""

import pytest
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, PromptReference

from atoms_campaigns_mcp.atoms.client import AtomsClient
from tests.support.bench import Bench
from tests.support.clients import Where, connected
from tests.support.serving import ERAS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("where", ["memory", "http"])
@pytest.mark.parametrize("era", ERAS)
async def test_a_crash_tells_an_id_and_nothing_else(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    era: str,
    where: Where,
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise ValueError("secret of the inside")

    async with connected(bench, where, era, None) as caller:
        monkeypatch.setattr(AtomsClient, "list_agents", crash)
        launch = PromptReference(type="ref/prompt", name="launch_campaign")
        with pytest.raises(MCPError) as failed:
            await caller.client.complete(launch, {"name": "agent_id", "value": "O"})
    assert failed.value.code == INTERNAL_ERROR
    assert "secret of the inside" not in str(failed.value)
    assert "(call " in str(failed.value)
    assert "secret of the inside" in caplog.text


@pytest.mark.parametrize("era", ERAS)
async def test_what_the_client_did_wrong_is_still_said(bench: Bench, era: str) -> None:
    async with bench.client(era) as caller:
        with pytest.raises(MCPError) as failed:
            await caller.client.get_prompt("no_such_prompt")
    assert failed.value.code == INVALID_PARAMS
    assert "launch_campaign" in str(failed.value)
