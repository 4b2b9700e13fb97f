"""The log tells an address that a client can use."""

from pathlib import Path

import httpx2
import pytest

from tests.support.process import address, environment, spawned


@pytest.mark.slow
def test_an_ipv6_address_is_told_in_brackets(tmp_path: Path) -> None:
    words = ("serve", "--http", "[::1]:0", "--auth", "none")
    with spawned(*words, env=environment(tmp_path)) as child:
        url = address(child)
        assert url.startswith("http://[::1]:")
        live = httpx2.get(url.removesuffix("mcp") + "health/live")
        assert live.json() == {"live": True}
