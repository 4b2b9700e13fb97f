"""The documents name every line of `doctor` and every client of `install`."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from atoms_campaigns_mcp.cli.doctor.team import Serving
from atoms_campaigns_mcp.cli.install.clients import CLIENTS
from tests.cli.doctor.examining import found, patient
from tests.cli.doctor.test_team import OAUTH
from tests.cli.install.installing import file_of, put
from tests.support.bench import Bench
from tests.support.issuer import Hosts, Issuer
from tests.support.machine import machine_in
from tests.support.serving import Wire

pytestmark = pytest.mark.anyio
DOCS = Path(__file__).parents[3] / "docs"


def first_cells(document: str) -> set[str]:
    text = (DOCS / document).read_text("utf-8").partition("## Common messages")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


async def test_every_line_is_explained(tmp_path: Path, bench: Bench) -> None:
    entry = {"command": "atoms-campaigns-mcp", "env": {"SMALLEST_API_KEY": "sk_x"}}
    examined = patient(tmp_path, bench, live=True)
    lines = set(await found(examined))
    put(examined.machine, "cursor", json.dumps({"mcpServers": {"atoms-campaigns": entry}}))
    lines |= set(await found(examined))
    lines |= set(await found(patient(tmp_path, bench, ATOMS_MCP_RATE="fast")))
    settings = {"ATOMS_MCP_STATE": "redis://127.0.0.1:1/0", **OAUTH}
    bench.wire = Wire(Hosts(Issuer(bench.clock.monotonic), bench.wire.below))
    team = patient(tmp_path, bench, live=True, **settings)
    lines |= set(await found(replace(team, serving=Serving("127.0.0.1:0", "oauth"))))
    names = {re.sub(r"^(client|key in) .*", r"\1 …", line) for line in lines}
    assert names == first_cells("troubleshooting.md")


def test_every_client_is_listed_with_the_name_of_its_file(tmp_path: Path) -> None:
    text = (DOCS / "clients.md").read_text("utf-8")
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `([^`]+)` \|.*$", text, re.MULTILINE)}
    assert rows.keys() == CLIENTS.keys()
    for name, row in rows.items():
        assert file_of(machine_in(tmp_path), name).name in row


def test_every_source_that_is_cited_is_given() -> None:
    text = (DOCS / "clients.md").read_text("utf-8")
    given = set(re.findall(r"^\[([^\]]+)\]: https://", text, re.MULTILINE))
    assert set(re.findall(r"\[\[([^\]]+)\]\]", text)) == given
