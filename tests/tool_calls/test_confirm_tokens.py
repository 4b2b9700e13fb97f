import string

import pytest
from hypothesis import given, settings, strategies as st

from atoms_campaigns_mcp.tool_calls import confirm_tokens

SECRET = bytes(range(32))
PLAN = "0123456789abcdef01234567"


def test_a_token_gives_back_its_plan_to_its_own_tenant() -> None:
    token = confirm_tokens.issue(PLAN, tenant="a", secret=SECRET)
    assert confirm_tokens.plan_id_of(token, tenant="a", secrets=[SECRET]) == PLAN


@pytest.mark.parametrize(
    ("tenant", "secret"), [("b", SECRET), ("", SECRET), ("a", SECRET[::-1]), ("a", b"")]
)
def test_a_token_is_worth_nothing_to_another_tenant_or_server(tenant: str, secret: bytes) -> None:
    token = confirm_tokens.issue(PLAN, tenant="a", secret=SECRET)
    assert confirm_tokens.plan_id_of(token, tenant=tenant, secrets=[secret]) is None


def test_a_token_of_any_secret_in_use_is_genuine_and_of_one_taken_out_is_not() -> None:
    older, newer = SECRET, SECRET[::-1]
    token = confirm_tokens.issue(PLAN, tenant="a", secret=older)
    assert confirm_tokens.plan_id_of(token, tenant="a", secrets=[newer, older]) == PLAN
    assert confirm_tokens.plan_id_of(token, tenant="a", secrets=[older, newer]) == PLAN
    assert confirm_tokens.plan_id_of(token, tenant="a", secrets=[newer]) is None
    assert confirm_tokens.plan_id_of(token, tenant="a", secrets=[]) is None


def test_tenant_and_plan_cannot_be_shifted_into_each_other() -> None:
    token = confirm_tokens.issue("bc", tenant="a", secret=SECRET)
    signature = token.partition(".")[2]
    assert confirm_tokens.plan_id_of(f"c.{signature}", tenant="ab", secrets=[SECRET]) is None


@settings(max_examples=300, derandomize=True)
@given(
    place=st.integers(0, 200),
    char=st.sampled_from(string.ascii_letters + string.digits + "._-=\u00e9"),
)
def test_a_token_with_any_character_changed_is_not_genuine(place: int, char: str) -> None:
    token = confirm_tokens.issue(PLAN, tenant="a", secret=SECRET)
    place %= len(token)
    forged = token[:place] + char + token[place + 1 :]
    genuine = forged == token
    assert (confirm_tokens.plan_id_of(forged, tenant="a", secrets=[SECRET]) is not None) == genuine


@pytest.mark.parametrize("cut", range(0, 45, 5))
def test_a_token_that_was_cut_short_is_not_genuine(cut: int) -> None:
    token = confirm_tokens.issue(PLAN, tenant="a", secret=SECRET)[:cut]
    assert confirm_tokens.plan_id_of(token, tenant="a", secrets=[SECRET]) is None


@settings(max_examples=200, derandomize=True)
@given(st.text(max_size=200))
def test_no_made_up_text_is_a_token(text: str) -> None:
    assert confirm_tokens.plan_id_of(text, tenant="a", secrets=[SECRET]) is None


def test_a_token_does_not_hold_the_secret() -> None:
    token = confirm_tokens.issue(PLAN, tenant="a", secret=b"s" * 32)
    assert "sss" not in token
    assert len(token) <= 60
