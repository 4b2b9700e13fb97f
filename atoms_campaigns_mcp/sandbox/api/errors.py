"""What rules raise; `service.serve` turns it into the envelope of the route.

ApiError                  carries every problem found, the class its status code
├── BadRequestError       400
├── UnauthorizedError     401
├── NotFoundError         404
└── ConflictError         409
UnknownRouteError         404, answered like a path that no operation has
"""


class ApiError(Exception):
    """A request that is answered with an error; never raised itself."""

    status = 500
    code = "INTERNAL_ERROR"

    def __init__(self, *errors: str) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


class BadRequestError(ApiError):
    """The input or the state does not allow it."""

    status = 400
    code = "BAD_REQUEST"


class UnauthorizedError(ApiError):
    """No key, or one that is not let in."""

    status = 401
    code = "UNAUTHORIZED"


class NotFoundError(ApiError):
    """Unknown, or of another organization."""

    status = 404
    code = "NOT_FOUND"


class ConflictError(ApiError):
    """Something else stands in the way."""

    status = 409
    code = "CONFLICT"


class UnknownRouteError(Exception):
    """The operation is switched off."""
