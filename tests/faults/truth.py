"""The sandbox's own word, past the proxy and past our server."""

import json
from typing import Any

from tests.faults.http1 import Request, forward
from tests.faults.records import Truth

KEY = "sk_soak"


class Oracle:
    """Reads from the sandbox at `port`."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def campaign(self, campaign_id: str) -> Truth:
        data = await self._get(f"/campaign/{campaign_id}")
        if data is None:
            return Truth(exists=False)
        return Truth(exists=True, name=data["campaign"]["name"], status=data["campaign"]["status"])

    async def audience(self, audience_id: str) -> Truth:
        data = await self._get(f"/audience/{audience_id}/members?page=1&offset=1")
        if data is None:
            return Truth(exists=False)
        named = await self._get(f"/audience/{audience_id}")
        return Truth(exists=True, name=named["name"] if named else "", members=data["totalCount"])

    async def _get(self, path: str) -> Any:
        headers = (("Authorization", f"Bearer {KEY}"),)
        reply = await forward(self._port, Request("GET", f"/atoms/v1{path}", headers, b""))
        if reply.status == 404:
            return None
        assert reply.status == 200, reply
        return json.loads(reply.body)["data"]
