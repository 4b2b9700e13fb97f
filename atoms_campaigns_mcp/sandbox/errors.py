"""What rules raise; `service.serve` turns it into the envelope of the route.

    ApiError         carries the status code and every problem found
    ├── BadRequest   400
    ├── Unauthorized 401
    ├── NotFound     404
    └── Conflict     409
    UnknownRoute     404, answered like a path that no operation has
"""


class ApiError(Exception):
    """A request that is answered with an error; never raised itself."""

    status = 500

    def __init__(self, *errors: str) -> None:
        super().__init__(*errors)
        self.errors = list(errors)


class BadRequest(ApiError):  # noqa: N818: named like the HTTP status
    """The input or the state does not allow it."""

    status = 400


class Unauthorized(ApiError):  # noqa: N818: named like the HTTP status
    """No key, or one that is not let in."""

    status = 401


class NotFound(ApiError):  # noqa: N818: named like the HTTP status
    """Unknown, or of another organization."""

    status = 404


class Conflict(ApiError):  # noqa: N818: named like the HTTP status
    """Something else stands in the way."""

    status = 409


class UnknownRoute(Exception):  # noqa: N818: it is what the client meets
    """The operation is switched off."""
