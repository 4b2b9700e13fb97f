"""Logs: lines on stderr, as JSON or text. stdout belongs to MCP.

Keys and phone numbers are taken out of all. `docs/observability.md` explains them.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TextIO

from atoms_campaigns_mcp.redaction import redact

# JSON allows these inside a string; whoever reads line by line takes them for ends.
_BREAKS = {ord(char): f"\\u{ord(char):04x}" for char in "\x7f\x85\u2028\u2029"}

NAME = "atoms_campaigns_mcp"
log = logging.getLogger(NAME)
call_id: ContextVar[str] = ContextVar("call_id", default="")
"""The tool call that a log line belongs to."""


def event(message: str, level: int = logging.INFO, **fields: str | int | None) -> None:
    """Log something with facts of our own beside it, which are written as they are.

    Nothing is taken out of `fields`: they hold names, counts and ids that this server made or knows
    beforehand, never a text from outside. What is None is left out.
    """
    kept = {name: value for name, value in fields.items() if value is not None}
    log.log(level, message, extra={"fields": kept})


def trace_id() -> str | None:
    """Return the id of the trace that is going on, as W3C writes it."""
    if "opentelemetry.trace" not in sys.modules:  # nothing has begun one
        return None
    from opentelemetry import trace  # noqa: PLC0415 - a start does without

    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def _fields(record: logging.LogRecord) -> dict[str, str | int]:
    fields: dict[str, str | int] = getattr(record, "fields", {})
    if call := call_id.get():
        fields = {"call": call, **fields}
    if (trace := trace_id()) is not None:
        fields = {"trace_id": trace, **fields}
    return fields


def _moment(record: logging.LogRecord) -> str:
    """Write when it was logged as RFC 3339 has it, in UTC."""
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False).translate(_BREAKS)


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = "".join(c if c.isprintable() else " " for c in redact(record.getMessage()))
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_moment(record)} {record.levelname.lower()} {message}{fields}"
        if record.exc_info:
            line += "\n" + redact(self.formatException(record.exc_info))
        return line


def configure(
    stream: TextIO = sys.stderr,
    level: int = logging.WARNING,
    form: Literal["json", "text"] = "json",
    ours: int = logging.INFO,
) -> None:
    """Send every logger of the process to `stream`: ours from `ours`, others from `level`."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_TextLines() if form == "text" else _JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    log.setLevel(ours)
