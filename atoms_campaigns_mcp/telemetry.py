"""Logs: JSON lines on stderr, with keys and phone numbers taken out. stdout belongs to MCP."""

import json
import logging
import re
import sys
from typing import TextIO

_KEY = re.compile(r"\bsk_[A-Za-z0-9_-]+")
_BEARER = re.compile(r"(?i)\bbearer\s+\S+")
# Seven digits are the shortest national number that E.164 knows; ids are hexadecimal or longer.
_NUMBER = re.compile(
    r"(?<![\w.-])(?!\d{4}-\d\d-\d\d(?!\d))\+?\(?\d(?:[ ().\u2010-\u2015-]{0,2}\d){6,14}(?![\w-])"
)

log = logging.getLogger("atoms_campaigns_mcp")


def mask_number(number: str) -> str:
    """Keep a number's sign, first two and last two digits: enough to recognise, not to dial."""
    digits = number.lstrip("+")
    if len(digits) <= 4:  # noqa: PLR2004 - nothing would be left to hide
        return "*" * len(number)
    sign, stars = number[: len(number) - len(digits)], "*" * (len(digits) - 4)
    return f"{sign}{digits[:2]}{stars}{digits[-2:]}"


def redact(text: str) -> str:
    """Take API keys and phone numbers out of text that was not written by us."""
    text = _BEARER.sub("Bearer ***", _KEY.sub("sk_***", text))
    return _NUMBER.sub(lambda match: mask_number(re.sub(r"[^+\d]", "", match[0])), text)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def configure(stream: TextIO = sys.stderr, level: int = logging.WARNING) -> None:
    """Send every logger of the process to `stream`; ours from INFO, others from `level`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    log.setLevel(logging.INFO)
