"""The terminal as commands write to it."""

from rich.console import Console


class Terminal(Console):
    """A console that says when nobody reads any more, instead of leaving the process itself."""

    def on_broken_pipe(self) -> None:
        """Raise the error again: leaving from within a task group would print a traceback."""
        raise  # noqa: PLE0704 - called while it is handled
