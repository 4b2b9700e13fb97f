"""One run, after the yes: all rounds, then the stopping, then the report."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import httpx2

from atoms_campaigns_mcp import __version__
from atoms_campaigns_mcp.config.settings import Settings
from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.guardrails.policy import Policy
from atoms_campaigns_mcp.runtime import Clocks, Runtime
from tests.probe.preparing import Wish, prepare
from tests.probe.questions import ASKED, NOT_SEEN, Answer
from tests.probe.rounds import (
    paused_before_it_begins,
    started_again,
    stopped_and_resumed,
    to_its_end,
)
from tests.probe.stopping import finish
from tests.probe.tape import Tape
from tests.probe.trial import EnoughError, Trial

STOPPING: Final = 300.0  # seconds in which everything must have stopped and be deleted
Say = Callable[[str], None]
Keep = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Run:
    """How a run went."""

    ended: str = "finished"
    left: list[str] = field(default_factory=list[str])


async def run(trial: Trial, wish: Wish, policy: Policy, result: Run) -> None:
    """Run all rounds; whatever happens, stop and delete what was made."""
    try:
        await prepare(trial, wish, policy)
        trial.say("Round 1 of 4: a scheduled campaign. Nobody is called.")
        await paused_before_it_begins(trial)
        trial.say("Round 2 of 4: let the first call ring out, answer the second.")
        first = await to_its_end(trial)
        trial.say("Round 3 of 4: a call is cancelled, the others are paused and resumed.")
        await stopped_and_resumed(trial)
        trial.say("Round 4 of 4: is a completed campaign started again? If so, it is stopped.")
        await started_again(trial, first)
    except EnoughError as error:
        result.ended = f"stopped: {error}"
    except AtomsCampaignsError as error:
        result.ended = f"stopped: {error.code}"
        trial.say(f"It cannot go on: {error}")
    except BaseException:
        result.ended = "interrupted"
        raise
    finally:
        result.left = [f"{trial.mark} *"]
        trial.say("Stopping and deleting what was made. Please wait.")
        with anyio.move_on_after(STOPPING, shield=True):
            result.left = await finish(trial)


def report(trial: Trial, result: Run) -> dict[str, Any]:
    """Write what may be sent to strangers: no numbers, names, ids, keys or texts."""
    unseen = Answer(NOT_SEEN)
    return {
        "report": "atoms-campaigns-mcp probe",
        "format": 1,
        "version": __version__,
        "phones": len(trial.phones),
        "ended": result.ended,
        "everything_deleted": not result.left,
        "seconds": trial.now,
        "answers": [trial.answers.get(one, unseen).document(one) for one in ASKED],
        "timeline": trial.sight.timeline,
        "changes": [change.document() for change in trial.tape.changes],
        "requests": {
            f"{name} {status}": count for (name, status), count in sorted(trial.tape.counts.items())
        },
        "differences_from_the_document": sorted(trial.tape.differences),
        "shapes": trial.tape.shapes,
    }


async def probe(
    wish: Wish,
    settings: Settings,
    *,
    say: Say,
    keep: Keep,
    mark: str,
    result: Run,
    clocks: Clocks | None = None,
    network: httpx2.AsyncBaseTransport | None = None,
) -> None:
    """Run, after the yes; `keep` gets the report, whatever happened."""
    clocks = clocks or Clocks()
    began = clocks.monotonic()
    tape = Tape(
        network or httpx2.AsyncHTTPTransport(),
        urlsplit(settings.api_url).path.rstrip("/"),
        lambda: round(clocks.monotonic() - began, 1),
    )
    runtime = Runtime.open(settings, clocks=clocks, network=tape)
    phones = {number.lstrip("+"): label for number, label in wish.phones.items()}
    trial = Trial(runtime, tape, phones, mark, say)
    try:
        await run(trial, wish, Policy.of(settings), result)
    finally:
        keep(report(trial, result))
        with anyio.CancelScope(shield=True):
            await runtime.close()
