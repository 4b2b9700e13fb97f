"""Caller IDs in the state file."""

import json

from atoms_campaigns_mcp.state.sqlite.database import StateFile


class SqliteCallerIds:
    """See `store.CallerIdStore`. The column `tenant` holds the account."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    async def keep(self, account: str, campaign_id: str, phone_ids: tuple[str, ...]) -> None:
        """See `CallerIdStore.keep`."""
        row = (account, campaign_id, json.dumps(phone_ids))
        sql = "REPLACE INTO callers (tenant, campaign_id, phone_ids) VALUES (?, ?, ?)"
        await self._file.write(lambda db: db.execute(sql, row))

    async def get(self, account: str, campaign_id: str) -> tuple[str, ...] | None:
        """See `CallerIdStore.get`."""
        sql = "SELECT phone_ids FROM callers WHERE tenant = ? AND campaign_id = ?"
        row = await self._file.read(lambda db: db.execute(sql, (account, campaign_id)).fetchone())
        return tuple(json.loads(row[0])) if row else None
