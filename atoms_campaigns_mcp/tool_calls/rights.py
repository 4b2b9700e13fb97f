"""What a principal may call: the one place that decides it; HTTP only tells clients beforehand."""

from collections.abc import Mapping
from typing import Any

from atoms_campaigns_mcp.config.identity import Principal
from atoms_campaigns_mcp.effects import EVERYTHING, Effect, scope_of
from atoms_campaigns_mcp.errors import AtomsCampaignsError, InvalidArguments, Refused
from atoms_campaigns_mcp.tool_calls.catalog import Catalog, CatalogEntry


def granted(
    principal: Principal, catalog: Catalog, name: str, arguments: Mapping[str, Any]
) -> CatalogEntry:
    """Return the entry of a tool that `principal` may call with these arguments.

    `catalog` is what it may use of the tools.

    Raises:
        Refused: The token lacks a scope, or dialing is switched off.
        InvalidArguments: There is no such tool, or not for this principal.
    """
    known = Catalog.read().entries.get(name)
    needed = known.needed(arguments, principal.allowed) if known else frozenset[Effect]()
    missing = principal.lacking(needed)
    if principal.can_obtain(missing):
        raise Refused(
            f"Your access token lacks the scope {scope_of(missing)}. Nothing was sent.",
            next_step=f"Ask the user to sign on again with the scope {scope_of(missing)}.",
        )
    entry = catalog.entries.get(name)
    if entry is None:
        raise _unknown_tool(principal, catalog)
    if missing:
        raise _dialing_is_off(entry.dials_when)
    return entry


def _unknown_tool(principal: Principal, catalog: Catalog) -> AtomsCampaignsError:
    why = ""
    if principal.allowed != EVERYTHING:
        why = (
            " The operator has switched some tools off, or this client has (read-only or no-dial)."
        )
    return InvalidArguments(
        f"There is no such tool.{why}",
        next_step=f"Tools of this server: {', '.join(catalog.entries)}.",
    )


def _dialing_is_off(argument: str) -> AtomsCampaignsError:
    return Refused(
        f"{argument} is switched off by the operator of this server (ATOMS_MCP_NO_DIAL) or for "
        "this client. Nothing was sent.",
        next_step="Leave it out to create a draft, or ask the operator.",
    )
