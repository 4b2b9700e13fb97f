"""Logs, spans and metrics. stdout belongs to MCP; keys and phone numbers are taken out of all.

Logs are lines on stderr, as JSON or text. Spans and metrics go through the OpenTelemetry API: they
cost next to nothing until the operator installs an SDK, and then hang under the MCP SDK's spans.

| metric | kind | attributes |
|---|---|---|
| `atoms.requests` | counter | method, route, status, outcome |
| `atoms.request.duration` | histogram, seconds | method, route, outcome |
| `atoms.retries` | counter | method, route |
| `atoms_campaigns.calls` | counter | tool, outcome |
| `atoms_campaigns.dials_started` | counter | |
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, TextIO

from opentelemetry import metrics, trace

from atoms_campaigns_mcp.errors import AtomsCampaignsError
from atoms_campaigns_mcp.redaction import redact

# JSON allows these inside a string; whoever reads line by line takes them for ends.
_BREAKS = {ord(char): f"\\u{ord(char):04x}" for char in "\x7f\x85\u2028\u2029"}
_ID = re.compile(r"/(?:[a-f0-9]{24}|CALL-[\w-]+)(?=/|$)")

NAME = "atoms_campaigns_mcp"
log = logging.getLogger(NAME)
call_id: ContextVar[str] = ContextVar("call_id", default="")
"""The tool call that a log line belongs to."""

_tracer = trace.get_tracer(NAME)
_meter = metrics.get_meter(NAME)
_requests = _meter.create_counter("atoms.requests", description="Requests to the Atoms API")
_durations = _meter.create_histogram(
    "atoms.request.duration", unit="s", description="With pacing and retries"
)
_retries = _meter.create_counter("atoms.retries", description="Repeated requests")
_calls = _meter.create_counter("atoms_campaigns.calls", description="Tool calls by outcome")
_dials = _meter.create_counter(
    "atoms_campaigns.dials_started", description="Campaigns started, resumed or scheduled"
)


class Call:
    """One call of the API with its repetitions, as its span tells it."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.attempts = 0
        self.status = 0
        self.request_id = ""

    def answered(self, status: int, request_id: str = "") -> None:
        """Note the status of the latest attempt, and the id that the vendor's support asks for."""
        self.attempts += 1
        self.status, self.request_id = status, request_id
        self._span.set_attribute("http.response.status_code", status)
        if request_id:
            self._span.set_attribute("atoms.request_id", request_id)

    def unanswered(self) -> None:
        """Note an attempt that nothing came back from."""
        self.attempts += 1
        self.status, self.request_id = 0, ""


@contextmanager
def upstream(method: str, path: str, monotonic: Callable[[], float]) -> Generator[Call]:
    """Put a span and metrics around a call of the API; `monotonic` gives seconds."""
    route = _ID.sub("/{id}", path.partition("?")[0])
    labels = {"http.request.method": method, "url.template": route}
    began, outcome = monotonic(), "ok"
    with _tracer.start_as_current_span(
        f"{method} {route}",
        kind=trace.SpanKind.CLIENT,
        attributes=labels,
        record_exception=False,
    ) as span:
        call = Call(span)
        try:
            yield call
        except AtomsCampaignsError as error:
            outcome = error.code
            raise
        except BaseException:
            outcome = "cancelled"
            raise
        finally:
            span.set_attribute("atoms.outcome", outcome)
            span.set_attribute("http.request.resend_count", max(call.attempts - 1, 0))
            _durations.record(monotonic() - began, {**labels, "outcome": outcome})
            _requests.add(1, {**labels, "status": call.status, "outcome": outcome})
            if call.attempts > 1:
                _retries.add(call.attempts - 1, labels)


def called(tool: str, outcome: str) -> None:
    """Count a tool call; `outcome` is ok, asked, crashed or the code of an error."""
    _calls.add(1, {"tool": tool, "outcome": outcome})
    trace.get_current_span().set_attribute("atoms_campaigns.outcome", outcome)


def dialled() -> None:
    """Count a campaign that was started, resumed or scheduled."""
    _dials.add(1)


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if call := call_id.get():
            line["call"] = call
        if record.exc_info:
            line["traceback"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False).translate(_BREAKS)


class _TextLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        call = f" [{call_id.get()}]" if call_id.get() else ""
        moment = self.formatTime(record, "%H:%M:%S")
        message = "".join(c if c.isprintable() else " " for c in redact(record.getMessage()))
        line = f"{moment} {record.levelname.lower()}{call} {message}"
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
