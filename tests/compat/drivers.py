"""The clients: the Python SDK's, the TypeScript SDK's in both generations, and the Inspector."""

import json
import subprocess
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mcp import Client
from mcp_types import ElicitRequestParams, ElicitResult

from tests.compat.session import Driver, Result
from tests.support.clients import over_stdio
from tests.support.process import OURS, address, environment, killed_at_the_end, spawned

HERE = Path(__file__).parent
INSTALLED = HERE.parent.parent / ".cache" / "clients"
INSPECTOR = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
Transport = Literal["stdio", "http"]
PATIENCE = 60  # seconds for one request of another program


@dataclass(frozen=True)
class Target:
    """Our server: a command to start, or an address at which it listens."""

    env: dict[str, str]
    url: str = ""

    @classmethod
    @contextmanager
    def open(cls, state: Path, transport: Transport) -> "Generator[Target]":
        # Any hour will do, and so little virtual time passes that no call ends the campaign.
        env = environment(
            state, ATOMS_MCP_CALLING_HOURS="00:00-24:00", ATOMS_MCP_SANDBOX_SPEED="30"
        )
        if transport == "stdio":
            yield cls(env)
            return
        with spawned("serve", "--http", "127.0.0.1:0", "--auth", "none", env=env) as child:
            yield cls(env, address(child))


@dataclass
class PythonSdk:
    client: Client
    questions: list[str]

    @classmethod
    @asynccontextmanager
    async def connected(cls, target: Target, era: str) -> AsyncGenerator[Driver]:
        questions: list[str] = []

        async def agree(question: str) -> ElicitResult:
            questions.append(question)
            return ElicitResult(action="accept", content={"confirm": True})

        async def elicit(context: object, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
            return await agree(params.message)

        if target.url:
            async with Client(target.url, mode=era, elicitation_callback=elicit) as client:
                yield cls(client, questions)
        else:
            async with over_stdio(target.env, era, agree) as caller:
                yield cls(caller.client, questions)

    async def ask(self, method: str, params: Result) -> Result:
        client = self.client
        answer: Any
        if method == "tools/list":
            answer = await client.list_tools()
        elif method == "tools/call":
            answer = await client.call_tool(params["name"], params["arguments"])
        elif method == "resources/read":
            answer = await client.read_resource(params["uri"])
        else:
            answer = await client.get_prompt(params["name"], params["arguments"])
        return answer.model_dump(mode="json", by_alias=True, exclude_none=True)


@dataclass
class TypeScriptSdk:
    process: subprocess.Popen[str]
    questions: list[str] = field(default_factory=list[str])

    @classmethod
    @asynccontextmanager
    async def connected(cls, target: Target, era: str, generation: str) -> AsyncGenerator[Driver]:
        where: Result = {"command": OURS[0], "args": [*OURS[1:]], "env": target.env}
        if target.url:
            where = {"url": target.url}
        words = ("node", HERE / "driver.mjs", INSTALLED, generation, era, json.dumps(where))
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        with killed_at_the_end(process):
            yield cls(process)
            process.communicate(timeout=PATIENCE)

    async def ask(self, method: str, params: Result) -> Result:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"method": method, "params": params}), file=self.process.stdin, flush=True)
        said = json.loads(self.process.stdout.readline())
        self.questions += said["questions"]
        return said["result"]


@dataclass
class Inspector:
    """Starts anew for each request, so it is served over HTTP; it can ask nobody."""

    target: Target
    era: str
    questions: list[str] = field(default_factory=list[str])

    @classmethod
    @asynccontextmanager
    async def connected(cls, target: Target, era: str) -> AsyncGenerator[Driver]:
        yield cls(target, era)

    async def ask(self, method: str, params: Result) -> Result:
        given: list[str] = []
        if method == "tools/call":
            arguments = json.dumps(params["arguments"])
            given = ["--tool-name", params["name"], "--tool-args-json", arguments]
        elif method == "resources/read":
            given = ["--uri", params["uri"]]
        elif method == "prompts/get":
            pairs = [f"{name}={value}" for name, value in params["arguments"].items()]
            given = ["--prompt-name", params["name"], "--prompt-args", *pairs]
        common = ["--cli", "--quiet", "--format", "json", "--protocol-era", self.era]
        server = ["--transport", "http", "--server-url", self.target.url]
        done = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
            ["node", INSTALLED / INSPECTOR, *common, *server, "--method", method, *given],  # noqa: S607
            env={**self.target.env, "HOME": self.target.env["ATOMS_MCP_STATE"]},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)["result"]


def connected(client: str, era: str, target: Target) -> AbstractAsyncContextManager[Driver]:
    """Connect the client of that name."""
    if client == "python":
        return PythonSdk.connected(target, era)
    if client == "inspector":
        return Inspector.connected(target, {"2026-07-28": "modern"}.get(era, era))
    return TypeScriptSdk.connected(target, era, client.removeprefix("typescript "))
