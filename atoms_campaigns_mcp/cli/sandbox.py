"""The command `sandbox`: the emulated API over HTTP, and its world begun afresh."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from atoms_campaigns_mcp.config.parsing import LOOPBACK
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.sandbox.engine.options import Speed
from atoms_campaigns_mcp.sandbox.engine.world import Options, StoreError, World, reset
from atoms_campaigns_mcp.sandbox.http.app import create_app
from atoms_campaigns_mcp.sockets import listening

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """Where to serve it, at which speed and seed."""

    port: int
    speed: Speed
    seed: int


def start_afresh(database: Path) -> int:
    """Reset the sandbox, also for the servers that have it open.

    Raises:
        ConfigurationError: It was left as it was.
    """
    try:
        emptied = reset(database)
    except StoreError as error:
        raise ConfigurationError(f"{error}.") from error
    if emptied:
        print("The sandbox starts afresh, also in a server that has it open. The journal stays.")
    else:
        print(
            f"{database} was damaged or of another release, and was deleted. The sandbox starts "
            "afresh: restart what had it open."
        )
    return 0


def serve(database: Path, wish: SandboxOptions) -> int:
    """Serve the sandbox until the process is asked to end.

    Raises:
        ConfigurationError: The port or the database cannot be used.
    """
    options = Options(speed=wish.speed, seed=wish.seed)
    with listening(HOST, wish.port, flag="--port ") as bound:
        try:
            world = World.open(database, now=lambda: datetime.now(UTC), options=options)
        except StoreError as error:
            raise ConfigurationError(f"{error}.") from error
        url = f"http://{HOST}:{bound.getsockname()[1]}/atoms/v1"
        print(f"Atoms sandbox on {url} (any key that starts with sk_)", flush=True)
        try:
            with suppress(KeyboardInterrupt):
                # A page that gave its name this address could read it otherwise.
                app = TrustedHostMiddleware(create_app(world), allowed_hosts=[*LOOPBACK, "[::1]"])
                # By name: with "auto", it would depend on what else is installed.
                config = uvicorn.Config(app, http="h11", loop="asyncio", log_level="warning")
                uvicorn.Server(config).run(sockets=[bound])
        finally:
            world.close()
    return 0
