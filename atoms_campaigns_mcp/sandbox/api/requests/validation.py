"""Reads input field by field in the manner of zod and collects every problem (S20)."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from atoms_campaigns_mcp.sandbox.api.errors import BadRequestError
from atoms_campaigns_mcp.sandbox.api.requests.messages import as_array, as_object, json_type
from atoms_campaigns_mcp.sandbox.engine.times import to_ms

DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
NUMBER = re.compile(r"\s*[+-]?\d{1,18}(\.\d{1,18})?\s*", re.ASCII)
LARGEST = 1 << 53  # beyond it JavaScript has no exact integers


class Fields:
    """The fields of a JSON body."""

    def __init__(self, values: Mapping[str, Any], problems: list[str] | None = None) -> None:
        """Read `values`; note what is wrong in `problems`, when an outer object has that list."""
        self._values = values
        self._problems: list[str] = [] if problems is None else problems

    def problem(self, text: str) -> None:
        """Note something that is wrong."""
        self._problems.append(text)

    def check(self) -> None:
        """End the reading.

        Raises:
            BadRequestError: Anything was wrong.
        """
        if self._problems:
            raise BadRequestError(*self._problems)

    def text(
        self, name: str, *, required: bool = False, shortest: int = 0, longest: int | None = None
    ) -> str:
        """A string, trimmed; "" when missing or wrong."""
        value = self._take(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._expected("string", name, value)
            return ""
        value = value.strip()
        if len(value) < shortest:
            self.problem(f"{name}: String must contain at least {shortest} character(s)")
        if longest is not None and len(value) > longest:
            self.problem(f"{name}: String must contain at most {longest} character(s)")
        return value

    def texts(self, name: str, *, required: bool = False) -> list[str]:
        """An array of strings; empty when missing or wrong."""
        value = self._take(name, required=required)
        if value is None:
            return []
        items = as_array(value)
        if items is None:
            self._expected("array", name, value)
            return []
        for index, item in enumerate(items):
            if not isinstance(item, str):
                self._expected("string", f"{name}.{index}", item)
        return [item for item in items if isinstance(item, str)]

    def integer(
        self, name: str, *, default: int, low: int | None = None, high: int | None = None
    ) -> int:
        """A whole number; `default` when missing or wrong."""
        value = self._take(name)
        if value is None:
            return default
        number = self._number(name, value)
        if number is None:
            return default
        if number != int(number):
            self.problem(f"{name}: Expected integer, received float")
            return default
        if low is not None and number < low:
            self.problem(f"{name}: Number must be greater than or equal to {low}")
        if high is not None and number > high:
            self.problem(f"{name}: Number must be less than or equal to {high}")
        return int(number)

    def boolean(self, name: str) -> None:
        """A boolean, if it is there."""
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            self._expected("boolean", name, value)

    def record(self, name: str) -> "Fields":
        """The fields of an object, none when missing or wrong; their problems are noted here."""
        value = self._take(name)
        inner = as_object(value)
        if value is not None and inner is None:
            self._expected("object", name, value)
        entries = {f"{name}.{key}": entry for key, entry in (inner or {}).items()}
        return Fields(entries, self._problems)

    def choice(self, name: str, options: Collection[str], *, default: str = "") -> str:
        """One of `options`; `default` when missing or wrong."""
        value = self._take(name)
        if value is None:
            return default
        if not isinstance(value, str) or value not in options:
            self._not_among(name, options, value)
            return default
        return value

    def time(self, name: str) -> int | None:
        """An ISO-8601 time in milliseconds since 1970; naive is UTC (S24), a day its start."""
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self._expected("string", name, value)
            return None
        time = _parse_time(value)
        if time is None:
            self.problem(f"{name}: Invalid datetime")
        return time

    def _take(self, name: str, *, required: bool = False) -> Any:
        if name not in self._values:
            if required:
                self.problem(f"{name}: Required")
            return None
        value = self._values[name]
        if value is None:
            self._expected("a value", name, value)
        return value

    def _not_among(self, name: str, options: Collection[str], value: object) -> None:
        allowed = " | ".join(f"'{option}'" for option in options)
        self.problem(f"{name}: Invalid enum value. Expected {allowed}, received '{value}'")

    def _expected(self, kind: str, name: str, value: object) -> None:
        self.problem(f"{name}: Expected {kind}, received {json_type(value)}")

    def _number(self, name: str, value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._expected("number", name, value)
            return None
        if not -LARGEST <= value <= LARGEST:
            self.problem(f"{name}: Number must be finite")
            return None
        return value


class QueryFields(Fields):
    """The parameters of a query: numbers arrive as text, and an empty one counts as missing."""

    def _take(self, name: str, *, required: bool = False) -> Any:
        return super()._take(name, required=required) or None

    def _number(self, name: str, value: object) -> float | None:
        if not isinstance(value, str) or not NUMBER.fullmatch(value):
            self.problem(f"{name}: Expected number, received nan")
            return None
        return super()._number(name, float(value))

    def choices(self, name: str, options: Collection[str]) -> list[str]:
        """The parts of a comma-separated list, each one of `options`."""
        words = self.words(name)
        for word in words:
            if word not in options:
                self._not_among(name, options, word)
        return [word for word in words if word in options]

    def words(self, name: str) -> list[str]:
        """The parts of a comma-separated list."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]


def _parse_time(text: str) -> int | None:
    if not DATE_TIME.fullmatch(text):
        return None
    try:
        return to_ms(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None
