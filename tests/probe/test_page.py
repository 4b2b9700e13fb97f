"""docs/contract.md says of each question what its answer would change, and where."""

import re
from pathlib import Path

from tests.probe.main import MOST_PHONES
from tests.probe.questions import ASKED, Question
from tests.probe.trial import LONGEST, MOST_CALLS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "contract.md").read_text("utf-8")


def test_each_question_is_asked_and_its_answers_are_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == list(Question) == list(ASKED)


def test_every_file_that_an_answer_would_change_exists() -> None:
    named = set(re.findall(r"`(\w+/[\w./]*\w)`", PAGE))
    assert len(named) > 12
    package = ROOT / "atoms_campaigns_mcp"
    lost = [name for name in named if not (ROOT / name).exists() and not (package / name).exists()]
    assert lost == []


def test_the_limits_on_the_page_are_those_of_the_script() -> None:
    assert f"at most {MOST_PHONES}; the audience" in PAGE
    assert f"usually 2 to 4, at most {MOST_CALLS};" in PAGE
    assert f"at most {LONGEST / 60:.0f} |" in PAGE
