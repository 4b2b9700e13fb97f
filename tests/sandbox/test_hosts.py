"""The emulated API over HTTP answers this machine, not a page that gave its name this address."""

from pathlib import Path

import httpx2
import pytest

from tests.support.emulated import emulated

KEY = {"Authorization": "Bearer sk_any"}


@pytest.mark.slow
def test_the_emulated_api_answers_to_the_names_of_this_machine_only(tmp_path: Path) -> None:
    with emulated(tmp_path) as origin, httpx2.Client(base_url=f"{origin}/atoms/v1") as http:
        hosts = ["localhost", "localhost:8790", "127.0.0.1:1", "[::1]:8790"]
        known = [http.get("/campaign", headers={**KEY, "Host": host}) for host in hosts]
        foreign = http.get("/campaign", headers={**KEY, "Host": "evil.example"})
    assert {answer.status_code for answer in known} == {200}
    assert foreign.status_code == 400
