"""One request from key to reply, free of the web framework, so that late work can be replayed."""

from collections.abc import Mapping

from atoms_campaigns_mcp.sandbox.errors import ApiError
from atoms_campaigns_mcp.sandbox.messages import Context, Operation, Reply, Request, reply_json
from atoms_campaigns_mcp.sandbox.organizations import authorize, of_key
from atoms_campaigns_mcp.sandbox.world import World


def serve(
    world: World, operation: Operation, request: Request, headers: Mapping[str, str]
) -> Reply:
    """Answer a request; refusals become the envelope of the route."""
    try:
        organization = of_key(world, authorize(world, headers))
        with world.writing() if operation.writes else world.reading() as moment:
            return operation.handler(Context(request, organization, moment))
    except ApiError as error:
        return refusal(operation, error)


def refusal(operation: Operation, error: ApiError) -> Reply:
    """The envelope of an error, which three routes have their own form of."""
    path = operation.route.partition(" ")[2]
    if path.startswith("/account/") and error.status == 401:  # noqa: PLR2004: HTTP
        return reply_json({"message": "User not authenticated"}, error.status)
    if path.startswith("/payment/"):
        detail = {"code": type(error).__name__.upper(), "message": "; ".join(error.errors)}
        return reply_json({"success": False, "error": detail}, error.status)
    return reply_json({"status": False, "errors": error.errors}, error.status)
