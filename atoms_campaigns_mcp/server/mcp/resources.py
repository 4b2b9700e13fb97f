"""Resources: a campaign's snapshot, its results as CSV (masked), the guide and the monitor."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from atoms_campaigns_mcp.config.settings import Mode
from atoms_campaigns_mcp.errors import AtomsCampaignsError, NotFound
from atoms_campaigns_mcp.server.mcp import guide, uris
from atoms_campaigns_mcp.server.mcp.monitor import app as monitor_app

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from atoms_campaigns_mcp.runtime import Runtime

Context = ServerRequestContext[Any]
LISTED = [
    Resource(
        uri=uris.GUIDE,
        name="guide",
        title="How to run a campaign",
        description="States, parameters and metrics of campaigns, and the order of the tools.",
        mime_type="text/markdown",
    ),
    monitor_app.listed(),
]
TEMPLATES = [
    ResourceTemplate(
        uri_template=uris.CAMPAIGN,
        name="campaign",
        title="A campaign's snapshot",
        description="State, progress and events of a campaign, as get_campaign_status.",
        mime_type="application/json",
    ),
    ResourceTemplate(
        uri_template=uris.RESULTS,
        name="results",
        title="A campaign's results",
        description="A row per contact as CSV, numbers masked.",
        mime_type="text/csv",
    ),
]


@dataclass(frozen=True, slots=True)
class Resources:
    """Serves resources; the runtime is asked for when a campaign is read."""

    mode: Mode
    runtime: "Callable[[Context], Awaitable[Runtime]]"

    async def list(self, _: Context, __: PaginatedRequestParams | None) -> ListResourcesResult:
        """Return guide and monitor; campaigns are found by template and completion."""
        return ListResourcesResult(resources=LISTED)

    async def templates(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """Return the addresses of a campaign's resources."""
        return ListResourceTemplatesResult(resource_templates=TEMPLATES)

    async def read(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """Read one resource.

        Raises:
            MCPError: There is no such resource, or the API refused or was away.
        """
        uri = str(params.uri)
        if uri == uris.MONITOR:
            return ReadResourceResult(contents=[monitor_app.page()])
        try:
            kind, text = await self._text(context, uri)
        except AtomsCampaignsError as error:
            code = INVALID_PARAMS if isinstance(error, NotFound) else INTERNAL_ERROR
            raise MCPError(code=code, message=str(error), data={"uri": uri}) from error
        return ReadResourceResult(
            contents=[TextResourceContents(uri=uri, mime_type=kind, text=text)]
        )

    async def _text(self, context: Context, uri: str) -> tuple[str, str]:
        if uri == uris.GUIDE:
            return "text/markdown", guide.text()
        found = uris.PATTERN.match(uri)
        if found is None:
            raise NotFound(
                "There is no such resource.",
                next_step=f"Known: {uris.GUIDE}, {uris.CAMPAIGN}, {uris.RESULTS}.",
            )
        from atoms_campaigns_mcp.server.mcp.campaign_resources import results_csv, snapshot  # noqa: PLC0415

        runtime = await self.runtime(context)
        if found["csv"]:
            return "text/csv", await results_csv(runtime, found["id"])
        return "application/json", await snapshot(runtime, found["id"], self.mode)
