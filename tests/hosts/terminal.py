"""A host in a terminal of its own, with someone who looks at the screen and presses keys."""

import shlex
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

PATIENCE = 60.0  # seconds for what a screen must show
_LOOK = 0.3  # seconds between two looks at it


@dataclass(frozen=True)
class Terminal:
    """A session of tmux, which answers what programs ask of a terminal."""

    name: str

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-L", self.name, "-f", "/dev/null", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def close(self) -> None:
        """End it with the program in it."""
        self._tmux("kill-server")

    def screen(self) -> str:
        """Give what it shows."""
        return self._tmux("capture-pane", "-p", "-t", "host")

    def press(self, key: str) -> None:
        """Press a key, by tmux's name for it."""
        self._tmux("send-keys", "-t", "host", key)

    def enter(self, line: str) -> None:
        """Type a line and send it off."""
        self.press(line)
        time.sleep(_LOOK)  # at once it would be taken for pasted, with its Enter
        self.press("Enter")

    def until(self, seen: Callable[[str], bool]) -> str:
        """Look until the screen shows something.

        Raises:
            TimeoutError: It does not for long; the error holds the screen.
        """
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            screen = self.screen()
            if seen(screen):
                return screen
            time.sleep(_LOOK)
        raise TimeoutError(self.screen())


@contextmanager
def terminal(words: list[str], env: dict[str, str], folder: Path) -> Generator[Terminal]:
    """Start a program in a terminal."""
    shown = Terminal(f"hosts-{uuid4().hex[:8]}")
    given = " ".join(shlex.quote(f"{name}={text}") for name, text in env.items())
    command = f"env -i {given} {shlex.join(words)}"
    size = ("-x", "140", "-y", "45")
    start = ["tmux", "-L", shown.name, "-f", "/dev/null", "new-session", "-d", "-s", "host", *size]
    subprocess.run([*start, "-c", str(folder), command], check=True, timeout=PATIENCE)
    try:
        yield shown
    finally:
        shown.close()
