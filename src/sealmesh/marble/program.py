"""The program: what the measured package says it is, and how it has to be started.

Only what was measured is run: another program, other arguments or another environment than the package's
would be something else than what the Evidence speaks of.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sealmesh.adapters.attester.package import LoadedPackage, load
from sealmesh.attestation.simulated import EnvironmentVariable
from sealmesh.dataplane.interpreter import is_python, unwrapped_option
from sealmesh.errors.marble import MarbleConfigurationError, ProgramRefused
from sealmesh.ledger import RelyingPolicy, parse_policy
from sealmesh.marble.dataplane_section import DataplaneSection, TlsBy


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredProgram:
    """What to run, as it was measured.

    Attributes:
        executable: The file that was measured; started by this path.
        arguments: Without the program's own name.
        environment: The declared variables.
        policy: How to recognize the Coordinator; None where the package does not say.
        package: None for a program that nothing was measured of (legacy without Evidence).
    """

    executable: Path
    arguments: tuple[str, ...]
    environment: tuple[EnvironmentVariable, ...] = ()
    policy: RelyingPolicy | None = None
    dataplane: DataplaneSection = field(default_factory=DataplaneSection)
    package: LoadedPackage | None = None


def load_measured(path: Path, command: Sequence[str]) -> MeasuredProgram:
    """Measure the package at `path` and check that `command` is what it runs.

    Args:
        path: The package document, or its directory.
        command: Program and arguments as given; empty for the package's own.

    Raises:
        PackageError: The package cannot be read or measured.
        ProgramRefused: `command` is something else.
        RelyingPolicyError: The package's policy for the Coordinator is wrong.
    """
    package = load(path)
    document = package.document
    if document is None or package.exe is None:
        raise RuntimeError("a package that was loaded from a path has a document")
    if command:
        _check_command(command, document.exe, package.exe, document.args)
    section = DataplaneSection.parse(dict(document.settings).get("dataplane"))
    policy = package.coordinator_policy
    return MeasuredProgram(
        executable=package.exe.absolute(),
        arguments=document.args,
        environment=document.environment,
        policy=None if policy is None else _checked_policy(parse_policy(policy)),
        dataplane=section,
        package=package,
    )


def unmeasured(command: Sequence[str], search_path: str | None) -> MeasuredProgram:
    """Return a program that nothing was measured of, for a legacy activation without Evidence.

    Raises:
        ProgramRefused: There is no such program.
    """
    found = shutil.which(command[0], path=search_path) if command else None
    if found is None:
        raise ProgramRefused(
            "The program is not there",
            found=command[0] if command else "no program",
            wanted="sealmesh run -- PROGRAM",
        )
    return MeasuredProgram(executable=Path(found).absolute(), arguments=tuple(command[1:]))


def _check_command(command: Sequence[str], name: str, exe: Path, args: tuple[str, ...]) -> None:
    program, *arguments = command
    found = shutil.which(program)
    same = program == name or (found is not None and os.path.samefile(found, exe))
    if same and tuple(arguments) == args:
        return
    raise ProgramRefused(
        "This is not the program that the package measures",
        found=" ".join(command),
        wanted=" ".join((name, *args)),
        remedy="Run what the package says (`sealmesh run` alone does), or change the package and sign again",
    )


def _checked_policy(policy: RelyingPolicy) -> RelyingPolicy:
    if policy.manifest_sha256 is not None:
        raise MarbleConfigurationError(
            "The package's policy for the Coordinator names a manifest, which enrolment cannot show",
            remedy="Leave `Manifest` out of the package's policy; relying parties check it",
        )
    return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a program is started.

    Attributes:
        executable: Path of the file that is executed.
        argv: Its arguments, its own name first.
        python: Whether it is a Python program, which can be wrapped.
    """

    executable: Path
    argv: tuple[str, ...]
    python: bool


def launch_of(program: MeasuredProgram, argv: Sequence[str]) -> Launch:
    """Return how to start `program`, with the manifest's `argv` where it gives one.

    A Python interpreter finds its environment by its own name, so that is its path whatever `argv` says.

    Raises:
        ProgramRefused: A Python program that is started so that it would not load the wrap.
    """
    python = is_python(str(program.executable))
    arguments = tuple(argv[1:]) if argv else program.arguments
    name = argv[0] if argv and not python else str(program.executable)
    launch = Launch(executable=program.executable, argv=(name, *arguments), python=python)
    if python and program.dataplane.tls is TlsBy.MESH:
        _refuse_unwrapped(program.executable, arguments)
    return launch


def _refuse_unwrapped(executable: Path, arguments: tuple[str, ...]) -> None:
    option = unwrapped_option(str(executable), arguments)
    if option is not None:
        raise ProgramRefused(
            "Python would start without the data plane and send plaintext",
            found=f"the option -{option}",
            remedy='Leave it out, or do TLS in the program and say `"dataplane": {"tls": "own"}`',
        )
