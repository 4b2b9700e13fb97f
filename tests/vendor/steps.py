"""What the lifecycles share.

Standard library only: each client is driven by an interpreter that has it, and nothing of ours.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

E = TypeVar("E", bound=Exception)

# Numbers from the range that is reserved for fiction.
PEOPLE = (
    ("Maya", "Rao", "+13125550101"),
    ("Jonas", "Berg", "+13125550102"),
    ("Aisha", "Khan", "+13125550103"),
    ("Diego", "Flores", "+13125550104"),
    ("Hanna", "Novak", "+13125550105"),
    ("Kofi", "Mensah", "+13125550106"),
    ("Lucia", "Rossi", "+13125550107"),
    ("Ravi", "Iyer", "+13125550108"),
)
NUMBERS = [number for _, _, number in PEOPLE]
NAMES = [(first, last) for first, last, _ in PEOPLE]

# Whoever is not reached is tried once more after half an hour of the sandbox's time. Until then the
# campaign runs: long enough to pause it.
RETRIES = 1
RETRY_MINUTES = 30

CALL_ENDS = {"completed", "failed", "no_answer"}
STARTING = {"processing", "running"}


def step(text: str) -> None:
    """Report what was seen and found right."""
    print(f"  {text}", flush=True)  # noqa: T201


def wait_for(wanted: str, read: Callable[[], str], among: Iterable[str]) -> None:
    """Ask again until the answer is `wanted`; any answer outside `among` is wrong."""
    allowed = {wanted, *among}
    end = time.monotonic() + 60
    while (seen := read()) != wanted:
        assert seen in allowed, f"{seen} while waiting for {wanted}"
        assert time.monotonic() < end, f"still {seen} while waiting for {wanted}"
        time.sleep(0.05)


def run_with_a_pause(
    start: Callable[[], object],
    pause: Callable[[], object],
    status: Callable[[], str],
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Start a campaign, pause it while it runs, resume it, and wait for its end."""
    start()
    wait_for("running", status, STARTING)
    step("start: running")
    pause()
    wait_for("paused", status, {"running"})
    step("pause: paused")
    start()
    meanwhile()
    wait_for("completed", status, STARTING)
    step("start: resumed and completed")


def raised(kind: type[E], action: Callable[[], object]) -> E:
    """Return the exception that an action must raise; a subclass of `kind` will not do."""
    try:
        answer = action()
    except kind as error:
        if type(error) is kind:
            return error
        raise
    raise AssertionError(f"accepted: {answer}")


def check_details(details: dict[str, Any], contacts: int) -> None:
    """Judge what `GET /campaign/{id}` says of a campaign that was paused once and has ended."""
    campaign, metrics = details["campaign"], details["metrics"]
    assert campaign["status"] == "completed", campaign
    assert campaign["participantsCount"] == contacts, campaign
    assert campaign["agent"]["name"], campaign
    assert campaign["audience"]["name"], campaign
    assert campaign["pausedAt"] > campaign["createdAt"], campaign
    assert campaign["cancelledCallsCount"] >= 0, campaign
    numbers = [execution["executionNumber"] for execution in campaign["executions"]]
    assert numbers == [1, 2], campaign
    assert campaign["executions"][0]["totalMembers"] == contacts, campaign
    actions = [event["eventAction"] for event in details["events"]]
    assert (actions[0], actions[-1]) == ("completed", "started"), actions
    assert metrics["total_participants"] == contacts, metrics
    assert 0 < metrics["contacts_connected"] <= metrics["contacts_called"] <= contacts, metrics


def check_results(results: list[dict[str, Any]], details: dict[str, Any], retries: int) -> None:
    """Compare the export by contact with what the campaign says of itself."""
    campaign, metrics = details["campaign"], details["metrics"]
    assert len(results) == campaign["participantsCount"], results
    attempts = [result["totalAttempts"] for result in results]
    assert set(attempts) <= set(range(1, retries + 2)), attempts
    assert sum(count - 1 for count in attempts) == campaign["retryAttempts"] > 0, attempts
    reached = [result for result in results if result["finalStatus"] == "completed"]
    assert len(reached) == metrics["contacts_connected"], results
    for result in results:
        first, again = result["originalCall"], result["retryAttempts"]
        assert [first["retryAttemptNumber"], *[call["retryAttemptNumber"] for call in again]] == [
            *range(result["totalAttempts"])
        ], result
        assert first["to"] == result["phoneNumber"], result
        assert bool(again) == (first.get("retryCallId") is not None), result
