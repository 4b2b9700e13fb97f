"""What is documented, alerted on and drawn is what the server tells."""

import json
import re
from pathlib import Path

import yaml

from atoms_campaigns_mcp import instruments
from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.tool_calls.catalog import Catalog
from tests.support.proxies import DEPLOY

DOCS = (DEPLOY.parent / "docs" / "observability.md").read_text("utf-8")
SOURCE = Path(instruments.__file__).read_text("utf-8")
COUNTERS = set(re.findall(r'create_counter\(\s*"([^"]+)"', SOURCE))
HISTOGRAMS = set(re.findall(r'_histogram\(\s*"([^"]+)"', SOURCE))
RULES = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
PANELS = json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))["panels"]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]


def prometheus() -> set[str]:
    """Return the names by which Prometheus knows what OTLP brings."""
    plain = {name: name.replace(".", "_") for name in COUNTERS | HISTOGRAMS}
    parts = {
        f"{plain[h]}_seconds_{part}" for h in HISTOGRAMS for part in ("bucket", "count", "sum")
    }
    return parts | {f"{plain[counter]}_total" for counter in COUNTERS}


def codes(kind: type[AtomsCampaignsError] = AtomsCampaignsError) -> set[str]:
    found = {kind.code} if isinstance(getattr(kind, "code", None), str) else set[str]()
    return found.union(*(codes(below) for below in kind.__subclasses__()))


def test_the_tables_of_metrics_name_all_and_no_others() -> None:
    assert len(COUNTERS) == 4
    assert len(HISTOGRAMS) == 3
    rows = re.findall(r"^\| `([a-z_.]+)` \| (counter|histogram)", DOCS, re.MULTILINE)
    assert {name for name, kind in rows if kind == "counter"} == COUNTERS
    assert {name for name, kind in rows if kind == "histogram"} == HISTOGRAMS


def test_the_buckets_are_told() -> None:
    text = " ".join(DOCS.split())
    fine = [f"{1000 * bound:g}" for bound in instruments.BUCKETS if bound < 1]
    coarse = [f"{bound:g}" for bound in instruments.BUCKETS if bound >= 1]
    assert f"{', '.join(fine[:-1])} and {fine[-1]} milliseconds" in text
    assert f"at {', '.join(coarse[:-1])} and {coarse[-1]} seconds" in text


def test_alerts_and_panels_ask_for_metrics_that_are_counted() -> None:
    assert len(EXPRESSIONS) > 15
    asked = {
        name for text in EXPRESSIONS for name in re.findall(r"\b(?:atoms|http)_\w+(?=[{\[])", text)
    }
    assert asked
    assert asked <= prometheus()


def test_alerts_and_panels_ask_for_outcomes_and_tools_that_there_are() -> None:
    known = codes() | {"ok", "asked", "crashed", "cancelled"}
    for text in EXPRESSIONS:
        for words in re.findall(r'outcome[!=~]+"([^"]+)"', text):
            assert set(words.split("|")) <= known, text
        for tool in re.findall(r'tool[!=~]+"([^"]+)"', text):
            assert tool in Catalog.read().entries
