"""Every error of this package, as one tree. The class decides what happens; nobody parses text.

AtomsCampaignsError          never raised itself
├── CallerError              the agent can fix it: the text names what is wrong and what to do
│   ├── InvalidArguments     refused before any request was sent
│   ├── NotFound             no such campaign, audience, agent, caller ID or call
│   ├── WrongState           the campaign's state does not allow it
│   ├── Refused              a rule of the operator forbids it; arguing does not help
│   └── NotConfirmed         it dials or destroys, and nobody has agreed to exactly this
├── UpstreamError            the Atoms API refused, or was away
│   ├── Unauthorized         it does not accept the API key
│   ├── Rejected             it understood the request and said no
│   ├── RateLimited          too many requests; `retry_after` seconds
│   ├── Unavailable          it was away or had a fault; a read may simply be tried again
│   │   └── Unreached         not a byte of the request was sent
│   └── UnexpectedResponse   it answered with something that is not in its contract
│       └── Garbled           its body is empty, cut off, endless or no JSON; a read may be retried
├── OutcomeUnknown           a change was sent and its answer was lost: check before repeating
├── NotRecorded              the state could not be read or written; a change was not sent
├── Busy                     this server has no room for the account now; `wait` seconds
└── ConfigurationError       start-up only: a setting is missing or contradicts another

Anything else that is raised is our own bug: it is logged under a call id, and only that id leaves
the server. Messages never hold a rejected value, a key, or a contact's full number.
"""

import math


class AtomsCampaignsError(Exception):
    """Base of the tree; `code` is stable and names the class to programs."""

    code = "error"

    def __init__(self, message: str, *, next_step: str = "") -> None:
        """Keep what went wrong and, apart from it, what to do next."""
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        """Return both sentences, as the agent reads them."""
        return f"{self.message} {self.next_step}".rstrip()


class CallerError(AtomsCampaignsError):
    """The caller can fix it."""

    code = "caller_error"


class InvalidArguments(CallerError):
    """An argument is missing, unknown, malformed or out of range; no request was sent."""

    code = "invalid_arguments"


class NotFound(CallerError):
    """Nothing in this account has that id or name."""

    code = "not_found"


class WrongState(CallerError):
    """The campaign's current state does not allow the operation."""

    code = "wrong_state"


class Refused(CallerError):
    """A rule set by the operator of this server forbids it."""

    code = "refused"


class NotConfirmed(CallerError):
    """The operation needs a confirmation that is absent, declined, expired or out of date."""

    code = "not_confirmed"

    def __init__(self, message: str, *, next_step: str = "", confirm_token: str = "") -> None:
        """Keep the token with which the same call may be repeated, when there is one."""
        super().__init__(message, next_step=next_step)
        self.confirm_token = confirm_token


class UpstreamError(AtomsCampaignsError):
    """The Atoms API refused, or was away."""

    code = "upstream_error"


class Unauthorized(UpstreamError):
    """The Atoms API does not accept the key (401)."""

    code = "unauthorized"


class Rejected(UpstreamError):
    """The Atoms API understood the request and said no (4xx)."""

    code = "rejected"


class RateLimited(UpstreamError):
    """The Atoms API asks for fewer requests (429)."""

    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        """Keep how many seconds the API asked to wait, if it said; `wait` is for callers."""
        self.retry_after = retry_after
        self.wait = None if retry_after is None else max(math.ceil(retry_after), 1)
        wait = "a minute" if self.wait is None else f"{self.wait} seconds"
        super().__init__(message, next_step=f"Wait {wait}, then call again.")


class Unavailable(UpstreamError):
    """The Atoms API timed out, broke off or had a fault."""

    code = "unavailable"


class Unreached(Unavailable):
    """The Atoms API could not be connected to, so not a byte of the request was sent."""


class UnexpectedResponse(UpstreamError):
    """The Atoms API answered outside its contract: another shape, HTML, or no such route."""

    code = "unexpected_response"


class Garbled(UnexpectedResponse):
    """The body is empty, cut off, endless or not JSON."""


class OutcomeUnknown(AtomsCampaignsError):
    """A change was sent, but its answer was lost: it may or may not have happened."""

    code = "outcome_unknown"


class NotRecorded(AtomsCampaignsError):
    """The server's state could not be read or written, so a change was not sent."""

    code = "not_recorded"

    def __init__(self, message: str, *, next_step: str = "", unsent: bool = False) -> None:
        """Say of a change that is `unsent` that nothing was sent; a read sends nothing anyhow."""
        super().__init__(f"{message} Nothing was sent." if unsent else message, next_step=next_step)


class Busy(AtomsCampaignsError):
    """This server has no room for the account; nothing was sent."""

    code = "busy"

    def __init__(self, message: str, *, wait: int) -> None:
        """Report after how many seconds there may be room."""
        super().__init__(message, next_step=f"Wait {wait} seconds, then call again.")
        self.wait = wait


class ConfigurationError(AtomsCampaignsError):
    """A setting is missing, malformed or contradicts another one; the server does not start."""

    code = "configuration"


def said_of(error: BaseException) -> str:
    """Return what the system or SQLite said of a file, without its name."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
