"""Whether the Atoms API answers, how fast, and whether its clock is ours."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx2

from atoms_campaigns_mcp.cli.doctor.check import Check, failed, ok, warning
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.runtime import Clocks

SLOW = 2.0  # seconds for one small answer
SKEWED = 30.0  # seconds; the header tells whole ones, and the answer was on its way
BROKEN = 300.0  # seconds at which schedules and calling hours are plainly wrong
PROBE = "/account/get-account-details"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request brought, whatever its status."""

    status: int
    seconds: float
    skew: float | None
    """Seconds that our clock is ahead of the API's."""


async def probe(
    settings: Settings, clocks: Clocks, network: httpx2.AsyncBaseTransport | None
) -> Answer | None:
    """Send one request, not repeated; None if nothing came back.

    A client of its own, because header and time are wanted of the answer that is no success too.
    """
    headers = {"Authorization": f"Bearer {settings.api_key}"}
    # As in atoms/transport.py: proxies of the environment count unless `network` replaces it.
    async with httpx2.AsyncClient(timeout=15.0, headers=headers, transport=network) as http:
        began = clocks.monotonic()
        try:
            response = await http.get(settings.api_url + PROBE)
        except httpx2.TransportError:
            return None
        seconds = clocks.monotonic() - began
    return Answer(response.status_code, seconds, _skew(response, clocks.now(), seconds))


def api(answer: Answer | None, host: str) -> Check:
    """Judge whether the API is there."""
    if answer is None:
        return failed(
            "api",
            f"{host} cannot be reached.",
            "Check the network, HTTPS_PROXY and ATOMS_API_URL.",
        )
    text = f"{host} answers in {answer.seconds * 1000:.0f} ms"
    if answer.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return failed(
            "api", f"{text}, but with a fault ({answer.status}).", "Try again in a minute."
        )
    if answer.status == httpx2.codes.NOT_FOUND.value:
        return failed(
            "api",
            f"{text}, but is not the Atoms API (404).",
            "Correct ATOMS_API_URL: host and path, as https://api.smallest.ai/atoms/v1.",
        )
    if answer.seconds > SLOW:
        return warning("api", f"{text}.", "Expect slow tools; look at the network or a proxy.")
    return ok("api", f"{text}.")


def clock(answer: Answer | None) -> Check:
    """Judge our clock by the API's."""
    if answer is None or answer.skew is None:
        return warning(
            "clock", "Not compared: the API did not tell its time.", "Have the system set it."
        )
    text = f"{abs(answer.skew):.0f} s {'ahead of' if answer.skew > 0 else 'behind'} the API's."
    fix = "Have the system set its clock (NTP): schedules and calling hours depend on it."
    if abs(answer.skew) > BROKEN:
        return failed("clock", text, fix)
    return warning("clock", text, fix) if abs(answer.skew) > SKEWED else ok("clock", text)


def _skew(response: httpx2.Response, now: datetime, seconds: float) -> float | None:
    try:
        theirs = parsedate_to_datetime(response.headers["date"])
        return (now - theirs).total_seconds() - seconds / 2
    except (KeyError, TypeError, ValueError):  # absent, malformed, or without a zone
        return None
