"""Plans in the state file."""

import json
import sqlite3
from dataclasses import astuple

from atoms_campaigns_mcp.state.sqlite.database import StateFile
from atoms_campaigns_mcp.state.store import PlanRecord

KEEP_PLANS = 24 * 3600  # seconds after which a plan's record is of no use to anyone
_PLAN = "plan_id, tenant, tool, digest, expires_at, audience_id, shown"


class SqlitePlans:
    """See `store.PlanStore`."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    async def keep(self, record: PlanRecord) -> None:
        """See `PlanStore.keep`."""
        *facts, shown = astuple(record)

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                f"INSERT INTO plans ({_PLAN}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (*facts, json.dumps(shown)),
            )
            db.execute("DELETE FROM plans WHERE expires_at < ?", (record.expires_at - KEEP_PLANS,))

        await self._file.write(write)

    async def get(self, plan_id: str) -> PlanRecord | None:
        """See `PlanStore.get`."""
        sql = f"SELECT {_PLAN} FROM plans WHERE plan_id = ?"  # noqa: S608
        row = await self._file.read(lambda db: db.execute(sql, (plan_id,)).fetchone())
        return PlanRecord(*row[:-1], shown=tuple(json.loads(row[-1]))) if row else None

    async def use(self, plan_id: str) -> bool:
        """See `PlanStore.use`."""
        sql = "UPDATE plans SET used = 1 WHERE plan_id = ? AND used = 0"
        return await self._file.write(lambda db: db.execute(sql, (plan_id,)).rowcount == 1)
