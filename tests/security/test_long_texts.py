"""No text takes longer to be made fit to show than it is long."""

import json
import subprocess
import sys

import pytest

PATIENCE = 120  # seconds; it takes three, and where time grows with the square of a length, hours
SHOW = """
import json, sys
from atoms_campaigns_mcp.contacts.spreadsheets import spreadsheet_safe
from atoms_campaigns_mcp.redaction import redact
from atoms_campaigns_mcp.schemas.text import quoted

for text in json.loads(sys.argv[1]):
    for show in (redact, quoted, spreadsheet_safe):
        show(text * (2_000_000 // len(text)))
"""
REPEATED = [
    "xsk_",
    "xsk_a-",
    "xsk%5fa",
    "-sk_",
    "bearer ",
    "bearer%20",
    "1....",
    "1&#160;",
    "'",
    "\t",
    "; ",
]


@pytest.mark.slow
def test_a_long_text_takes_no_longer_than_it_is_long() -> None:
    given = json.dumps(REPEATED)
    subprocess.run([sys.executable, "-c", SHOW, given], check=True, timeout=PATIENCE)
