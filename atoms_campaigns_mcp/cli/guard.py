"""The command `guard`: the operator's watch over everything that dials."""

from dataclasses import dataclass
from functools import partial

import anyio
import httpx2

from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import ConfigurationError
from atoms_campaigns_mcp.guard.notify import SharedNews, Webhook
from atoms_campaigns_mcp.guard.process import AGAIN, Guard, Say, rules_of
from atoms_campaigns_mcp.runtime import Clocks, Runtime
from atoms_campaigns_mcp.server.shutdown_signals import shut_down_on_signal

ONCE = 60.0  # seconds for which `--once` goes on until the API confirms
WAITS = 75  # exit status: another guard has the lease (EX_TEMPFAIL of sysexits.h)


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """What the command is to do; see its flags."""

    resume: bool = False
    once: bool = False
    dry_run: bool = False


def run(settings: Settings, wish: GuardOptions) -> int:
    """Keep watch until a signal ends it; 0, or 1 if something could not be stopped or looked at."""
    return anyio.run(watch, settings, wish, partial(print, flush=True))


async def watch(
    settings: Settings,
    wish: GuardOptions,
    say: Say,
    clocks: Clocks | None = None,
    network: httpx2.AsyncBaseTransport | None = None,
) -> int:
    """Keep watch with these settings; `clocks` and `network` are replaced by tests.

    Raises:
        ConfigurationError: There is no rule, or the guard may not do what it is told to.
    """
    check(settings, wish)
    runtime = Runtime.open(settings, clocks=clocks, network=network)

    def timed(text: str) -> None:
        say(f"{runtime.clocks.now().astimezone():%H:%M:%S} {text}")

    try:
        hook = Webhook.of(settings, runtime.clocks.now, network)
        news = SharedNews(runtime.store, runtime.account)
        guard = Guard(runtime, rules_of(runtime), hook, timed, wish.resume, wish.dry_run, news=news)
        timed(f"Guarding ({settings.mode}): {'; '.join(guard.rules.told())}.")
        try:
            return await (_once(guard) if wish.once else _on(guard))
        finally:
            if not wish.dry_run:
                with anyio.move_on_after(AGAIN, shield=True):
                    await guard.lease.release()
    finally:
        await runtime.close()


def check(settings: Settings, wish: GuardOptions) -> None:
    """Refuse what the operator's modes do not leave.

    Raises:
        ConfigurationError: They forbid pausing or resuming.
    """
    if settings.read_only and not wish.dry_run:
        raise ConfigurationError(
            "The guard pauses, which read-only mode forbids.",
            next_step="Unset ATOMS_MCP_READ_ONLY, or look with --dry-run.",
        )
    if wish.resume and settings.no_dial:
        raise ConfigurationError(
            "--resume dials, which ATOMS_MCP_NO_DIAL forbids.",
            next_step="Unset one of the two.",
        )


async def _on(guard: Guard) -> int:
    async with anyio.create_task_group() as tasks:

        async def until_told() -> None:
            await shut_down_on_signal(guard.runtime.shutdown.hurry)
            tasks.cancel_scope.cancel()

        tasks.start_soon(until_told)
        await guard.run()
    return 0


async def _once(guard: Guard) -> int:
    """Look once, and go on for a minute where something is not confirmed."""
    clocks = guard.runtime.clocks
    end = clocks.monotonic() + ONCE
    while True:
        done = await guard.round()
        if done.standby:
            return WAITS
        if not done.unconfirmed and not done.unread:
            stopped = f"{'would stop' if guard.dry else 'stopped'} {done.stopped}"
            guard.say(f"Looked at {done.seen}, {stopped}, resumed {done.resumed}.")
            return 0
        if clocks.monotonic() >= end:
            guard.say(f"{done.unconfirmed} could not be stopped, {done.unread} not be read.")
            return 1
        await clocks.sleep(AGAIN)
