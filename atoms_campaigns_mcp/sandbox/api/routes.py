"""The routing table: every operation of the emulator."""

from atoms_campaigns_mcp.sandbox.api import (
    account,
    agents,
    audiences,
    calls,
    campaigns,
    exports,
    members,
)
from atoms_campaigns_mcp.sandbox.api.requests.messages import Operation

OPERATIONS: tuple[Operation, ...] = (
    *campaigns.OPERATIONS,
    *exports.OPERATIONS,
    *audiences.OPERATIONS,
    *members.OPERATIONS,
    *agents.OPERATIONS,
    *calls.OPERATIONS,
    *account.OPERATIONS,
)
