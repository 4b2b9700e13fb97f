"""One guard for an account: the lease of the one that acts, and what it says of itself."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from secrets import token_hex

import anyio

from atoms_campaigns_mcp.errors import NotRecorded
from atoms_campaigns_mcp.runtime import Runtime
from atoms_campaigns_mcp.state.guarding import LEASE, WATCH, Stop, Watch, old_stops
from atoms_campaigns_mcp.telemetry import log

SUBJECT = "guard"
RENEWING = LEASE / 3  # seconds after which it is renewed where a round takes long


@dataclass(slots=True)
class Lease:
    """Held by one guard at a time; one that is killed loses it after `LEASE` seconds."""

    runtime: Runtime
    rules: tuple[str, ...]
    resumes: bool
    owner: str = field(default_factory=lambda: token_hex(8))
    _watch: Watch | None = None

    async def hold(self) -> bool:
        """Take or keep the lease, and say so; false if another guard has it.

        Without a state nobody can be kept out, and pausing twice does no harm: then it is true.
        """
        now, store = self.runtime.clocks.seconds(), self.runtime.store
        key, until = self.runtime.own(SUBJECT), now + LEASE
        try:
            held = await store.locks.extend(key, self.owner, until)
            if not held and not await store.locks.acquire(key, self.owner, now, until):
                self._watch = None
                return False
            if self._watch is None:
                kept = await store.guard.kept(self.runtime.account)
                last = Watch.last(kept)
                self._watch = self._begun(last.stops if last else ())
                for subject in old_stops(kept, now):
                    await store.guard.drop(self.runtime.account, subject)
            await self._say(until)
        except NotRecorded as error:
            log.error("the guard goes on without a lease: %s", error.message)
        return True

    @asynccontextmanager
    async def kept(self) -> AsyncGenerator[None]:
        """Renew it meanwhile, if it is held, however long the API takes."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._renew)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()

    async def _renew(self) -> None:
        while True:
            # By the event loop's own clock, as what hangs is cut off.
            await anyio.sleep(RENEWING)
            if self._watch is None:
                continue
            try:
                await self.hold()
            except Exception:  # noqa: BLE001 - a guard that ends keeps nothing
                log.exception("the guard's lease could not be renewed")

    @property
    def sure(self) -> bool:
        """Whether no other guard acts now: what is needed to resume anything."""
        now = self.runtime.clocks.seconds()
        return self._watch is not None and now < self._watch.until <= now + LEASE

    async def tell(self, stop: Stop) -> None:
        """Show a stop to whoever looks at the guard."""
        if self._watch is None:
            return
        self._watch = self._watch.after(stop)
        try:
            await self._say(self._watch.until)
        except NotRecorded as error:
            log.warning("what the guard stopped is not shown: %s", error.message)

    async def release(self) -> None:
        """Let another guard take over at once."""
        try:
            if self._watch is not None:
                await self._say(self.runtime.clocks.seconds())
            await self.runtime.store.locks.release(self.runtime.own(SUBJECT), self.owner)
        except NotRecorded as error:
            log.warning("the guard's lease stays for up to %g seconds: %s", LEASE, error.message)

    async def _say(self, until: float) -> None:
        watch = self._watch or self._begun(())
        self._watch = replace(watch, until=until)
        await self.runtime.store.guard.keep(self.runtime.account, WATCH, self._watch.dump())

    def _begun(self, stops: tuple[Stop, ...]) -> Watch:
        return Watch(
            owner=self.owner, until=0.0, resumes=self.resumes, rules=self.rules, stops=stops
        )
