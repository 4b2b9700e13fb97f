"""Starting a configured command for real, and every way in which it may not be a server."""

import sys
from pathlib import Path

import pytest

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.cli.doctor.server_probe import NotStarted, Started, start
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.process import environment

pytestmark = pytest.mark.anyio
NOISY = """
import json, sys
sys.stderr.write("x" * 300_000)
print("Welcome!")
for line in sys.stdin:
    message = json.loads(line)
    result = {"serverInfo": {"name": "n", "version": "7"}, "tools": [1, 2]}
    if "id" in message:
        print(json.dumps({"id": message["id"], "result": result}), flush=True)
"""


async def run(code: str, folder: Path, patience: float = 60) -> Started:
    return await start([sys.executable, "-c", code], environment(folder), folder, patience)


async def refusal(code: str, folder: Path, patience: float = 60) -> str:
    with pytest.raises(NotStarted) as caught:
        await run(code, folder, patience)
    return str(caught.value)


async def test_this_server_starts_and_tells_its_tools(tmp_path: Path) -> None:
    words = [sys.executable, "-P", "-m", "atoms_campaigns_mcp"]
    found = await start(words, environment(tmp_path), tmp_path)
    assert found == Started(__version__, len(Catalog.read().entries))


async def test_noise_beside_the_protocol_does_no_harm(tmp_path: Path) -> None:
    assert await run(NOISY, tmp_path) == Started("7", 2)


async def test_a_command_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="FileNotFoundError"):
        await start([str(tmp_path / "gone")], {}, tmp_path)


async def test_a_command_that_ends_is_reported_with_its_last_words_but_no_key(
    tmp_path: Path,
) -> None:
    text = await refusal("import sys; sys.exit('first\\nbad key sk_live_secret')", tmp_path)
    assert text == "it ended without an answer: bad key sk_***"


async def test_a_server_of_something_else_is_reported(tmp_path: Path) -> None:
    code = NOISY.replace('"tools": [1, 2]', '"things": []')
    assert "something else" in await refusal(code, tmp_path)


@pytest.mark.slow
async def test_a_command_that_says_nothing_is_ended_after_the_time_limit(tmp_path: Path) -> None:
    code = "import time; time.sleep(20); open('survived', 'w')"
    assert await refusal(code, tmp_path, patience=0.5) == "no answer within 0.5 seconds"
    assert list(tmp_path.iterdir()) == []
