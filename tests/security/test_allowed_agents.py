"""Low: ATOMS_MCP_ALLOWED_AGENTS compared names as they were written."""

import pytest
from hypothesis import given, strategies as st

from atoms_campaigns_mcp.guardrails.policy import Policy

AGENT = "696ddd281ea16a73cb8aafbe"
OTHER = "696ddd281ea16a73cb8aafbf"


def allows(allowed: str, name: str, agent_id: str = AGENT) -> bool:
    return Policy(agents=frozenset({allowed})).allows_agent(agent_id, name)


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("Cafe\u0301 line", "Caf\u00e9 line"),
        ("outreach", "Outreach"),
        ("Follow  up ", "Follow up"),
        ("Follow\u00a0up", "Follow up"),
        ("\uff2futreach", "Outreach"),
    ],
)
def test_a_name_is_allowed_as_it_shows(allowed: str, name: str) -> None:
    assert allows(allowed, name)
    assert allows(name, allowed)
    assert not allows(allowed, f"{name} 2")


def test_a_name_that_is_written_as_an_id_is_nobodys_id() -> None:
    assert allows(AGENT, "Outreach")
    assert not allows(AGENT, AGENT, agent_id=OTHER)


def test_without_a_list_every_agent_is_allowed() -> None:
    assert Policy().allows_agent(AGENT, "Outreach")


@given(st.text(), st.text())
def test_names_that_show_differently_are_different(allowed: str, name: str) -> None:
    assert allows(allowed, name) == allows(name, allowed) or AGENT in {allowed, name}
    assert allows(name, name)
