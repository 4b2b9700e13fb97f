import json
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.support.bench import Bench
from tests.support.issuer import RESOURCE, Hosts, Issuer
from tests.support.serving import Wire
from tests.support.team import Team, prepared, serving_team

ACCOUNTS = {"anna": "sk_acme", "bert": "sk_acme", "carl": "sk_other"}


@pytest.fixture
def issuer(bench: Bench) -> Issuer:
    issuer = Issuer(lambda: bench.clock.now().timestamp())
    bench.wire = Wire(Hosts(issuer, bench.wire.below))
    bench.configure(oauth_issuer=issuer.url)
    return issuer


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps(ACCOUNTS))
    path.chmod(0o600)
    return path


@pytest.fixture
def bench(tmp_path: Path, accounts: Path) -> Generator[Bench]:
    with prepared(tmp_path) as bench:
        bench.configure(auth="oauth", oauth_resource=RESOURCE, oauth_accounts=accounts)
        yield bench


@pytest.fixture
async def team(bench: Bench, issuer: Issuer) -> AsyncGenerator[Team]:  # noqa: ARG001
    async with serving_team(bench) as team:
        yield team
