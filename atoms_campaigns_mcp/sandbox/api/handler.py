"""One request from key to reply, free of the web framework, so that late work can be replayed."""

from collections.abc import Mapping

from atoms_campaigns_mcp.sandbox.api.errors import ApiError, BadRequestError, UnauthorizedError
from atoms_campaigns_mcp.sandbox.api.organizations import acting, authorize
from atoms_campaigns_mcp.sandbox.api.requests.messages import (
    Context,
    Operation,
    Reply,
    Request,
    reply_json,
)
from atoms_campaigns_mcp.sandbox.engine.world import World


def serve(
    world: World, operation: Operation, request: Request, headers: Mapping[str, str]
) -> Reply:
    """Answer a request; refusals become the envelope of the route."""
    try:
        key = authorize(world, headers)
        with acting(world, key, writes=operation.writes) as (organization, moment):
            return operation.handler(Context(request, organization, moment))
    except ApiError as error:
        return refusal(operation, error)


def refusal(operation: Operation, error: ApiError) -> Reply:
    """The envelope of an error; account and billing routes have their own form."""
    path = operation.route.partition(" ")[2]
    document: dict[str, object] = {"status": False, "errors": error.errors}
    if path.startswith("/account/"):
        refused = isinstance(error, UnauthorizedError)
        document = {"message": "User not authenticated" if refused else "; ".join(error.errors)}
    if path.startswith("/payment/"):
        detail = {"code": error.code, "message": "; ".join(error.errors)}
        document = {"success": False, "error": detail}
    if operation.route == "GET /audience/{id}/members" and isinstance(error, BadRequestError):
        document["status"] = "error"  # a string on this route alone
    return reply_json(document, error.status)
