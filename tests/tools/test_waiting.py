"""What a person waits for with the API 200 ms away: no call sends more, or takes longer.

The time is simulated, so that the figures are the same on every machine.
"""

from pathlib import Path

import pytest

from tests.support.far_away import ROUND_TRIP, Taken
from tests.support.lifetime import choosing, lifetime

MOST: dict[str, tuple[int, float]] = {
    "get_account": (5, 0.2),
    "list_agents": (1, 0.2),
    "list_phone_numbers": (1, 0.2),
    "create_audience": (6, 0.8),
    "get_audience": (7, 0.4),
    "create_campaign": (5, 0.4),
    "preview_campaign": (15, 0.7),
    "start_campaign, previewed": (17, 1.9),
    "get_campaign_status": (4, 0.6),
    "pause_campaign": (8, 1.6),
    "start_campaign, resuming": (36, 3.8),
    "pause_campaign, all": (9, 1.8),
    "get_campaign_results": (4, 0.4),
    "list_calls": (5, 0.6),
    "delete_campaign": (3, 0.6),
}
"""Requests and seconds for 200 contacts."""
MOST_OF_MANY = {
    **MOST,
    "get_audience": (26, 1.8),
    "preview_campaign": (34, 2.6),
    "start_campaign, previewed": (36, 3.8),
    "get_campaign_status": (2, 0.4),
    "start_campaign, resuming": (74, 7.6),
}
"""The same for 9,900 contacts, whose pages are read at the pace of 10 requests a second."""


def within(taken: dict[str, Taken], most: dict[str, tuple[int, float]]) -> None:
    found = {what: (len(cost.requests), round(cost.seconds, 2)) for what, cost in taken.items()}
    assert found.keys() == most.keys()
    worse = {
        what: (found[what], most[what])
        for what in most
        if found[what][0] > most[what][0] or found[what][1] > most[what][1]
    }
    assert not worse


@pytest.mark.slow
def test_no_call_sends_more_or_takes_longer_than_it_must(tmp_path: Path) -> None:
    within(lifetime(tmp_path, 200), MOST)


@pytest.mark.slow
def test_nor_does_one_with_many_contacts(tmp_path: Path) -> None:
    within(lifetime(tmp_path, 9_900), MOST_OF_MANY)


@pytest.mark.slow
def test_a_stop_by_id_is_the_first_thing_sent_and_waits_for_no_turn(tmp_path: Path) -> None:
    """However slowly the operator lets requests through."""
    stop = lifetime(tmp_path, 50, rate=5)["pause_campaign"].requests[0]
    assert (stop.method, stop.at) == ("POST", 0.0)
    assert stop.path.endswith("/pause")


@pytest.mark.slow
def test_a_stop_of_everything_leaves_after_one_look(tmp_path: Path) -> None:
    stop = next(
        request
        for request in lifetime(tmp_path, 50, rate=5)["pause_campaign, all"].requests
        if request.method == "POST"
    )
    assert stop.at <= ROUND_TRIP + 0.001


@pytest.mark.slow
def test_results_take_two_round_trips(tmp_path: Path) -> None:
    """What tells whether they have changed is read at once, and then they are."""
    requests = lifetime(tmp_path, 50)["get_campaign_results"].requests
    assert {round(request.at / ROUND_TRIP) for request in requests} == {0, 1}
    assert requests[-1].path.endswith("/export/by-audience-member")


@pytest.mark.slow
def test_choosing_from_the_longest_list_takes_less_than_ten_seconds(tmp_path: Path) -> None:
    taken = choosing(tmp_path, 10_000)
    assert len(taken.requests) <= 33
    assert taken.seconds <= 10
