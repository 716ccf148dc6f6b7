"""What the program starts: other Pythons are wrapped too, everything else gets no network.

Forks keep the wrap they have. A Python that is started gets the environment that loads the data plane, even
where the program cleared it. Whatever cannot be wrapped (`curl`, a shell, `python -I`) is confined before
its first instruction, and gets no Internet socket of ours either. Only where the measured package lets
plaintext pass in both directions is it left alone.

Invariant: no child that could make a wire of its own is started unless the package says so. C code of the
program that calls fork and exec itself is not seen here.
"""

import _posixsubprocess
import _socket
import os
import posix
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sealmesh.dataplane.confinement import Confinement
from sealmesh.dataplane.interpreter import is_python, unwrapped_option
from sealmesh.dataplane.original import INTERNET, RawSocket
from sealmesh.dataplane.sockets import denied

_PYTHON_PATH: Final = b"PYTHONPATH"
_AGENT: Final = b"SEALMESH_AGENT"
_SEPARATOR: Final = os.pathsep.encode()

# Places in the arguments of `_posixsubprocess.fork_exec`, the same in Python 3.11 to 3.14.
_ARGUMENTS, _EXECUTABLES, _CLOSE_FDS, _PASS_FDS, _DIRECTORY, _ENVIRONMENT = range(6)
_PIPES: Final = slice(6, 12)
_BEFORE_EXEC: Final = 21

Environment = Mapping[bytes, bytes]
#: Whether the package lets a child do what it likes; and where to report one that is confined.
Unrestricted = Callable[[], bool]
Report = Callable[[str], None]


class Children:
    """Judges what the program starts.

    Args:
        inject: The directory with our `sitecustomize`.
        agent: The agent's socket.
    """

    def __init__(self, inject: str, agent: str, unrestricted: Unrestricted, report: Report) -> None:
        self._inject, self._agent = os.fsencode(inject), os.fsencode(agent)
        self._unrestricted = unrestricted
        self._report = report
        self._confinement: Confinement | None = None
        self._told: set[str] = set()

    def govern(self) -> None:
        """Take the place of what starts programs. Call it before `subprocess` is imported."""
        _posixsubprocess.fork_exec = self._fork_exec(_posixsubprocess.fork_exec)
        if "subprocess" in sys.modules:
            sys.modules["subprocess"]._fork_exec = _posixsubprocess.fork_exec  # type: ignore[attr-defined]
        for name, replacement in (
            ("execv", lambda path, argv: self._execve(path, argv, os.environb)),
            ("execve", self._execve),
            ("posix_spawn", self._spawn(posix.posix_spawn)),
            ("posix_spawnp", self._spawn(posix.posix_spawnp)),
            ("system", _system),
        ):
            setattr(os, name, replacement)
            setattr(posix, name, replacement)

    def environment(self, given: Environment) -> dict[bytes, bytes]:
        """Return `given` so that a Python started with it loads the data plane first."""
        rest = [part for part in given.get(_PYTHON_PATH, b"").split(_SEPARATOR) if part != self._inject]
        path = _SEPARATOR.join([self._inject, *(part for part in rest if part)])
        return {**given, _PYTHON_PATH: path, _AGENT: self._agent}

    def will_be_wrapped(self, executable: str, argv: Sequence[Any]) -> bool:
        """Say whether this is a Python that loads what `environment` names."""
        arguments = [os.fsdecode(argument) for argument in argv[1:]]
        return is_python(executable) and unwrapped_option(executable, arguments) is None

    def confinement(self, executable: str, descriptors: Sequence[int]) -> Confinement:
        """Return what has to be applied in a child that cannot be wrapped.

        Args:
            executable: What it runs.
            descriptors: That it would inherit.

        Raises:
            PermissionError: It would inherit a wire, or cannot be confined here.
        """
        wire = next((descriptor for descriptor in descriptors if _is_wire(descriptor)), None)
        if wire is not None:
            raise denied(
                f"sealmesh: {executable} has no data plane, and must not get the Internet socket {wire}"
            )
        if self._confinement is None:
            try:
                self._confinement = Confinement()
            except (OSError, ImportError) as error:
                raise denied(
                    f"sealmesh: {executable} has no data plane and cannot be kept from the network: {error}"
                ) from error
        if executable not in self._told:
            self._told.add(executable)
            self._report(executable)
        return self._confinement

    def spawn_options(self, program: Any, argv: Sequence[Any], options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments of `Popen` that judge a child, for whoever does not go through it.

        Args:
            program: What is executed.
            argv: With its own name first.
            options: As the program gives them.
        """
        executable = _found([program], options.get("cwd")) if "/" in os.fsdecode(program) else _which(program)
        if self.will_be_wrapped(executable, argv):
            given = options.get("env")
            environment = os.environb if given is None else _bytes(given)
            texts = {os.fsdecode(name): os.fsdecode(v) for name, v in self.environment(environment).items()}
            return {**options, "env": texts}
        if self._unrestricted():
            return dict(options)
        apply = self.confinement(executable, [*options.get("pass_fds", ()), 0, 1, 2, *_inheritable()]).apply
        return {**options, "preexec_fn": _both(options.get("preexec_fn"), apply)}

    # ---- the ways to start something

    def _fork_exec(self, original: Callable[..., int]) -> Callable[..., int]:
        def fork_exec(*given: Any) -> int:
            words = list(given)
            if not _BEFORE_EXEC < len(words) <= _BEFORE_EXEC + 2:
                raise denied("sealmesh: this Python starts children in a way the data plane does not know")
            executable = _found(words[_EXECUTABLES], words[_DIRECTORY])
            if self.will_be_wrapped(executable, words[_ARGUMENTS]):
                words[_ENVIRONMENT] = _listed(self.environment(_mapped(words[_ENVIRONMENT])))
            elif not self._unrestricted():
                inherited = [*words[_PASS_FDS], *(end for end in words[_PIPES] if end >= 0), 0, 1, 2]
                if not words[_CLOSE_FDS]:
                    inherited += _inheritable()
                apply = self.confinement(executable, inherited).apply
                words[_BEFORE_EXEC] = _both(words[_BEFORE_EXEC], apply)
            return original(*words)

        return fork_exec

    def _execve(self, path: Any, argv: Sequence[Any], env: Mapping[Any, Any]) -> None:
        """`os.execve`: the process itself becomes something else."""
        executable = f"/proc/self/fd/{path}" if isinstance(path, int) else os.fsdecode(path)
        environment = _bytes(env)
        if self.will_be_wrapped(os.path.realpath(executable), argv):
            environment = self.environment(environment)
        elif os.access(executable, os.X_OK) and not self._unrestricted():
            self.confinement(executable, [0, 1, 2, *_inheritable()]).apply()
        _execve(path, list(argv), environment)

    def _spawn(self, original: Callable[..., int]) -> Callable[..., int]:
        def posix_spawn(path: Any, argv: Sequence[Any], env: Mapping[Any, Any], /, **rest: Any) -> int:
            executable = os.fsdecode(path)
            environment = _bytes(env)
            if self.will_be_wrapped(executable, argv):
                environment = self.environment(environment)
            elif not self._unrestricted():
                raise denied(f"sealmesh: start {executable} with `subprocess`, which can confine it")
            return original(path, argv, environment, **rest)

        return posix_spawn


_execve: Final = posix.execve


def _system(command: Any) -> int:
    """`os.system`, by way of `subprocess`."""
    from subprocess import call

    code = call(["/bin/sh", "-c", command])
    return -code if code < 0 else code << 8


def _both(first: Callable[[], None] | None, second: Callable[[], None]) -> Callable[[], None]:
    if first is None:
        return second

    def run() -> None:
        first()
        second()

    return run


def _found(executables: Sequence[Any], directory: Any) -> str:
    """Return the first of `executables` that could be started, from the child's directory."""
    names = [os.path.join(os.fsdecode(directory or ""), os.fsdecode(name)) for name in executables]
    return next((name for name in names if os.access(name, os.X_OK)), names[0] if names else "")


def _which(program: Any) -> str:
    from shutil import which

    return which(os.fsdecode(program)) or os.fsdecode(program)


def _bytes(environment: Mapping[Any, Any]) -> dict[bytes, bytes]:
    return {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}


def _mapped(environment: Sequence[bytes] | None) -> Environment:
    if environment is None:
        return dict(os.environb)
    pairs = (entry.partition(b"=") for entry in environment)
    return {name: value for name, _, value in pairs}


def _listed(environment: Environment) -> list[bytes]:
    return [name + b"=" + value for name, value in environment.items()]


def _inheritable() -> list[int]:
    return [
        descriptor
        for descriptor in map(int, os.listdir("/proc/self/fd"))
        if _is_open(descriptor) and os.get_inheritable(descriptor)
    ]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_wire(descriptor: int) -> bool:
    """Say whether a descriptor is an Internet socket; the program's ends of links are not."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        sock = RawSocket(fileno=descriptor)
    except OSError:
        return False
    try:
        return sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_DOMAIN) in INTERNET
    finally:
        sock.detach()
