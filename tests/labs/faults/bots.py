"""`likewatch run` in a process of its own, which can be killed, stopped, starved and set to another time."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

LIKEWATCH = (str(Path(sys.executable).parent / "likewatch"), "run", "--no-browser")
ROOT = Path(__file__).parents[3]
STARTS_WITHIN = 60.0
STOPS_WITHIN = 15.0
_LOOK_EVERY, _LONGEST_LOOK, _LOOKING = 0.01, 1.0, 5


class NotSeen(Exception):
    """What a case waits for did not come; the sentence says what came instead."""


def until(what: Callable[[], bool], seconds: float, waited_for: str) -> None:
    """Look until ``what()``; ``NotSeen`` after so many seconds."""
    if not _within(what, seconds):
        raise NotSeen(f"{waited_for}: not within {seconds:g} s")


def _within(what: Callable[[], bool], seconds: float) -> bool:
    """Whether ``what()`` comes true within so many seconds, not counting those in which the machine stood still."""
    left, looked_at = seconds, time.monotonic()
    while not what():
        if left < 0:
            return False
        took = time.monotonic() - looked_at
        time.sleep(max(_LOOK_EVERY, min(_LOOKING * took, _LONGEST_LOOK)))  # what is watched needs the machine too
        now = time.monotonic()
        left -= min(now - looked_at, 2 * _LONGEST_LOOK)
        looked_at = now
    return True


class Bot:
    """A started bot; everything it says is in ``folder/bot.log``, after what those before it said.

    ``under`` goes before the command line (strace, say). ``file_size`` is the most bytes it may write into any file.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str],
        *,
        command: Sequence[str] = LIKEWATCH,
        under: Sequence[str] = (),
        file_size: int | None = None,
    ) -> None:
        self._log = folder / "bot.log"
        self._log.touch()
        self._said_before = self._log.stat().st_size
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LIKEWATCH_"))}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*under, *command],
                cwd=folder,
                env={
                    **environ,
                    "PYTHONPATH": str(ROOT),
                    "PYTHONUNBUFFERED": "1",
                    "PYTHONFAULTHANDLER": "1",
                    **settings,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that strace and the bot under it can be killed together
                preexec_fn=None if file_size is None else lambda: _limit(file_size),  # noqa: PLW1509 (one thread yet)
            )
        self._under = bool(under)

    @property
    def pid(self) -> int:
        """The bot's own, also under strace."""
        if not self._under:
            return self._process.pid
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text(encoding="ascii")
        return int(children.split()[0])

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    def said(self) -> str:
        """All that this one has said so far."""
        with self._log.open("rb") as log:
            log.seek(self._said_before)
            return log.read().decode(errors="replace")

    def started(self) -> Bot:
        """Wait until it says that it is running."""
        until(lambda: "is running" in self.said() or not self.running, STARTS_WITHIN, "the bot's start")
        if "is running" not in self.said():
            raise NotSeen(f"the bot ended at its start: {self.said()[-300:]}")
        return self

    def wait_for(self, words: str, seconds: float = 30.0) -> None:
        """Wait until it says these words (a regular expression)."""
        until(lambda: bool(re.search(words, self.said())), seconds, f"the log's “{words}”")

    def kill(self) -> None:
        """kill -9, strace with it; safe to call at any time and from any thread."""
        its_own = self._process.pid
        with suppress(OSError, IndexError):  # the tracer has no child any more
            its_own = self.pid
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        until(lambda: not _lives(its_own), STOPS_WITHIN, "the end of what was killed")
        self._process.wait()

    def ended(self, seconds: float) -> bool:
        """Whether it ends by itself within so many seconds."""
        return _within(lambda: not self.running, seconds)

    def stop(self) -> float:
        """Ask it to stop as Ctrl-C does; how many seconds it took. ``NotSeen`` if it takes too long or fails."""
        asked = time.monotonic()
        with suppress(ProcessLookupError, IndexError):
            os.kill(self.pid, signal.SIGINT)
        if not self.ended(STOPS_WITHIN):
            waits_in = Path(f"/proc/{self.pid}/wchan").read_text(encoding="ascii")
            os.kill(self.pid, signal.SIGABRT)  # it says where its threads are
            self.ended(STOPS_WITHIN)
            self.kill()
            raise NotSeen(f"the bot did not stop within {STOPS_WITHIN:g} s ({waits_in}): {self.said()[-3000:]}")
        if self.exit_code:
            raise NotSeen(f"the bot ended with exit status {self.exit_code}: {self.said()[-300:]}")
        return time.monotonic() - asked

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def memory(self) -> float:
        """Resident set, in megabytes."""
        return _status(self.pid, "VmRSS")

    def peak_memory(self) -> float:
        """The largest resident set since ``forget_peak``, in megabytes."""
        return _status(self.pid, "VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")


class Dial:
    """The machine's clock as a bot started with ``command`` sees it: as much ahead of ours as was last set."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ahead"
        self.set(timedelta(0))
        self.command = (sys.executable, "-m", "tests.labs.faults.skewed", str(self._file))

    @property
    def ahead(self) -> timedelta:
        return self._ahead

    def set(self, ahead: timedelta) -> None:
        self._ahead = ahead
        draft = self._file.with_suffix(".new")
        draft.write_text(str(ahead.total_seconds()), encoding="ascii")
        draft.replace(self._file)


def _limit(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that a write fails with EFBIG instead of ending the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _lives(pid: int) -> bool:
    """Whether any thread of a process still runs: the first may be gone while others hold files and locks."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:  # gone meanwhile
        return False
    return any(_state(thread / "stat") not in "ZX" for thread in threads)


def _state(thread: Path) -> str:
    try:
        return thread.read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _status(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(rf"{name}:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else 0.0
