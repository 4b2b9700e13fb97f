"""Requests generated from openapi.yaml: whatever is sent, the answer is a documented one."""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import anyio
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as conformance
from starlette.applications import Starlette

from atoms_campaigns_mcp.sandbox.engine.options import Options
from atoms_campaigns_mcp.sandbox.engine.world import World
from atoms_campaigns_mcp.sandbox.http.app import create_app
from tests.contract.document import METHODS, Node, source
from tests.contract.driver import ORIGIN, PREFIX, UNKNOWN, UNKNOWN_CALL, driving
from tests.contract.samples import AGENT, AUDIENCE, PHONE
from tests.support.clock import FakeClock

pytestmark = pytest.mark.slow

EXAMPLES: Final = 12
# The types of schemathesis need httpx, which nothing here brings.
UNTYPED: Final[Any] = schemathesis
CHECKS: Final = [
    cast("Any", checks).not_a_server_error,
    cast("Any", conformance).status_code_conformance,
    cast("Any", conformance).content_type_conformance,
    cast("Any", conformance).response_headers_conformance,
    cast("Any", conformance).response_schema_conformance,
]
OPERATIONS: Final = [
    (path, method.upper())
    for path, item in cast("dict[str, Node]", source()["paths"]).items()
    for method in sorted(METHODS & item.keys())
]
KIND_OF: Final = {
    "agentId": "agent",
    "agentIds": "agent",
    "audienceId": "audience",
    "callId": "conversation",
    "campaignIds": "campaign",
    "memberIds": "member",
    "phoneNumberIds": "phone",
}
# Random contacts are never good ones; test_behaviours_audiences.py has those.
NEVER_ACCEPTED: Final = {"create_audience", "add_members", "stop_campaign"}

Ids = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Template:
    """A world on disk, in which every example begins, and the ids that exist in it."""

    folder: Path
    clock: FakeClock
    ids: Ids

    @contextmanager
    def copied(self) -> Generator[Starlette]:
        file = self.folder / "copy"
        shutil.copy(self.folder / "template", file)
        options = Options(speed=1, org_limit=1)
        world = World.open(file, now=self.clock.now, options=options)
        try:
            yield create_app(world)
        finally:
            world.close()
            for leftover in self.folder.glob("copy*"):
                leftover.unlink()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder, clock = tmp_path_factory.mktemp("world"), FakeClock()
    return Template(folder, clock, anyio.run(_populate, folder / "template", clock))


async def _populate(db: Path, clock: FakeClock) -> Ids:
    """Have campaigns in six states, and calls that are live, queued and over."""
    async with driving(db=db, clock=clock, org_limit=1) as api:
        await api.draft(scheduledAt="2028-01-01T00:00:00.000Z")
        await api.paused(await api.started())
        await api.started(seconds=2)
        await api.start(await api.draft())
        await api.draft()
        logs = (await api.get("/conversation", limit=500))["logs"]
        calls = {call["status"]: call["callId"] for call in logs}
        members = (await api.get(f"/audience/{AUDIENCE}/members"))["members"]
        campaigns = (await api.get("/campaign", offset=50))["campaigns"]
        assert len({campaign["status"] for campaign in campaigns}) == 6
        assert {"in_queue", "processing", "completed"} < calls.keys()
        return {
            "agent": [AGENT, await api.agent(), UNKNOWN],
            "audience": [AUDIENCE, await api.audience("phoneNumber\n+12025550110\n"), UNKNOWN],
            "campaign": [*(campaign["_id"] for campaign in campaigns), UNKNOWN],
            "conversation": [*calls.values(), UNKNOWN_CALL],
            "member": [*(member["_id"] for member in members), UNKNOWN],
            "phone": [PHONE, UNKNOWN],
        }


def aimed(ids: Ids) -> Node:
    """The document, with requests narrowed to ids that exist: a random one never does."""
    document = deepcopy(source())
    shared = document["components"]["parameters"]
    for path, item in cast("dict[str, Node]", document["paths"]).items():
        own = path.split("/")[1]
        for holder in (item, *(item[method] for method in METHODS & item.keys())):
            parameters = [_target(one, shared) for one in holder.get("parameters", [])]
            for one in parameters:
                one["schema"] = _narrowed(one["schema"], KIND_OF.get(one["name"], own), ids)
            holder["parameters"] = parameters
            for media in holder.get("requestBody", {}).get("content", {}).values():
                fields = media["schema"]["properties"]
                for name in fields.keys() & KIND_OF.keys():
                    fields[name] = _narrowed(fields[name], KIND_OF[name], ids)
    return document


def _target(parameter: Node, shared: Node) -> Node:
    if "$ref" in parameter:
        parameter = shared[parameter["$ref"].rpartition("/")[2]]
    return deepcopy(parameter)


def _narrowed(schema: Node, kind: str, ids: Ids) -> Node:
    name = schema.get("$ref", "").rpartition("/")[2]
    if name in ("ObjectId", "CallId"):
        return {"type": "string", "enum": ids[kind]}
    if name == "ObjectIds":
        return {"type": "array", "items": {"type": "string", "enum": ids[kind]}}
    if "items" in schema:
        return {**schema, "items": _narrowed(schema["items"], kind, ids)}
    return schema


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_generated_request_gets_a_documented_answer(
    template: Template, path: str, method: str, mode: GenerationMode
) -> None:
    operation = UNTYPED.openapi.from_dict(aimed(template.ids))[path][method]
    prefix = source()["paths"][path].get("servers", [{"url": PREFIX}])[0]["url"]
    statuses: list[int] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def exchange(case: Any) -> None:
        headers = {"Authorization": "Bearer sk_sandbox"}
        with template.copied() as app:
            response = case.call(ORIGIN + prefix, headers=headers, app=app)
        statuses.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    exchange()
    if mode is GenerationMode.POSITIVE:
        accepted = operation.definition.raw["operationId"] not in NEVER_ACCEPTED
        assert any(status < 300 for status in statuses) is accepted, statuses
