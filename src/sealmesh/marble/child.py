"""The program as a child process: signals go to it, its exit code comes back, it dies with the agent.

What the program leaves behind (daemons, orphans of its workers) becomes the agent's to reap, so that no
zombies pile up in a container whose first process is `sealmesh run`. Therefore the agent must not have other
children of its own: `wait` would take their exit codes away.

`start` is the one place where the program comes to life; confinement (Landlock, seccomp) belongs there.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from typing import Final

from sealmesh.errors.marble import ProgramRefused
from sealmesh.marble.program import Launch

FORWARDED: Final = frozenset(
    {
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGWINCH,
        signal.SIGCONT,
    }
)
_WATCHED: Final = FORWARDED | {signal.SIGCHLD}
#: A terminal sends these to the whole foreground group, the program included.
_FROM_TERMINAL: Final = frozenset(
    {signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGWINCH, signal.SIGCONT}
)
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_POLL_SECONDS: Final = 0.25


class Child:
    """A running program. Made and waited for on the main thread, with its signals blocked."""

    def __init__(self, process: subprocess.Popen[bytes], mask: set[signal.Signals | int]) -> None:
        self._process = process
        self._mask = mask

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    def wait(self, watch: Callable[[], None]) -> int:
        """Forward signals until the program ends; return its exit code, 128 + n where signal n ended it.

        Args:
            watch: Called several times a second; an exception of it kills the program.
        """
        try:
            while (code := self._reaped()) is None:
                happened = signal.sigtimedwait(_WATCHED, _POLL_SECONDS)
                if happened is not None and happened.si_signo != signal.SIGCHLD:
                    self._forward(happened)
                watch()
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        return code if code >= 0 else 128 - code

    def send(self, number: signal.Signals) -> None:
        """Send the program a signal, if it still runs; from any thread, as only `wait` reaps."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def _reaped(self) -> int | None:
        """Reap whoever has ended; return the program's exit code once it has."""
        while self._process.returncode is None:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return None
            if pid == self._process.pid:  # `Popen` would ask the kernel again, which has forgotten
                self._process.returncode = os.waitstatus_to_exitcode(status)
        return self._process.returncode

    def _forward(self, happened: signal.struct_siginfo) -> None:
        if happened.si_signo in _FROM_TERMINAL and happened.si_pid == 0:
            return
        self.send(signal.Signals(happened.si_signo))


def start(launch: Launch, environment: Mapping[str, bytes]) -> Child:
    """Start the program; stdin, stdout and stderr are the agent's own. It is not confined.

    Call it before other threads exist: between fork and exec runs Python code.

    Raises:
        ProgramRefused: The operating system cannot execute it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    agent = os.getpid()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)

    def before_exec() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != agent:  # it died before prctl
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    try:
        process = subprocess.Popen(
            launch.argv, executable=launch.executable, env=dict(environment), preexec_fn=before_exec
        )
    except (OSError, ValueError) as error:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        raise ProgramRefused(
            "The program cannot be started", found=f"{launch.executable}: {error}"
        ) from error
    return Child(process, mask)
