"""Logs, spans and metrics. stdout belongs to MCP; keys and phone numbers are taken out of all.

Logs are lines on stderr, as JSON or text. Spans and metrics go through the OpenTelemetry API: they
cost next to nothing until the operator installs an SDK, and then hang under the MCP SDK's spans.
`docs/observability.md` explains each of them; a test holds it and what is here together.
"""

import json
import logging
import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
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

# Seconds; a watch takes up to 45, and what nobody answers ends sooner than the last.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

_tracer = trace.get_tracer(NAME)
_meter = metrics.get_meter(NAME)


def _histogram(name: str, about: str) -> metrics.Histogram:
    return _meter.create_histogram(
        name, unit="s", description=about, explicit_bucket_boundaries_advisory=BUCKETS
    )


_requests = _meter.create_counter("atoms.requests", description="Requests to the Atoms API")
_durations = _histogram("atoms.request.duration", "Requests to the Atoms API, pacing and retries")
_retries = _meter.create_counter("atoms.retries", description="Repeated requests")
_calls = _meter.create_counter("atoms_campaigns.calls", description="Tool calls by outcome")
_call_durations = _histogram("atoms_campaigns.call.duration", "Tool calls")
_served = _histogram("http.server.request.duration", "Requests that were answered over HTTP")
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


def event(message: str, level: int = logging.INFO, **fields: str | int | None) -> None:
    """Log something with facts of our own beside it, which are written as they are.

    Nothing is taken out of `fields`: they hold names, counts and ids that this server made or knows
    beforehand, never a text from outside. What is None is left out.
    """
    kept = {name: value for name, value in fields.items() if value is not None}
    log.log(level, message, extra={"fields": kept})


def called(tool: str, outcome: str, mode: str, seconds: float, tenant: str) -> None:
    """Log and count a tool call; `outcome` is ok, asked, crashed or the code of an error."""
    labels = {"tool": tool, "outcome": outcome, "mode": mode}
    _calls.add(1, labels)
    _call_durations.record(seconds, labels)
    trace.get_current_span().set_attribute("atoms_campaigns.outcome", outcome)
    took = round(1000 * seconds)
    event("tool call", tool=tool, outcome=outcome, mode=mode, ms=took, tenant=tenant[:8])


def served(method: str, path: str, status: int, seconds: float) -> None:
    """Count an answer over HTTP; `path` is one of ours, and `status` 0 if there was none."""
    labels = {"http.request.method": method, "http.route": path}
    _served.record(seconds, {**labels, "http.response.status_code": status})


def dialled(mode: str) -> None:
    """Count a campaign that was started, resumed or scheduled."""
    _dials.add(1, {"mode": mode})


def trace_id() -> str | None:
    """Return the id of the trace that is going on, as W3C writes it."""
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
