"""`sealmesh run`: measure, prove, join, apply, start the program, and stay beside it.

1. The package is measured, and the command is what it says.
2. The Coordinator admits this Marble on Evidence over the key of this connection, and is verified.
3. Everything that can be refused is: arguments, environment, a program that would escape the wrap.
4. Only then files are written and the program starts; a Python program with the data plane inside.
5. Signals are forwarded, certificates renewed; the program's exit code is ours.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Final

import sealmesh.dataplane
from sealmesh.adapters.attester import SimulatedAttester
from sealmesh.adapters.attester.choice import AttesterChoice, SimulatedChoice
from sealmesh.adapters.attester.device import EvidenceDevice, open_device
from sealmesh.adapters.clock import system_clock
from sealmesh.adapters.log import configure_log, logger
from sealmesh.dataplane.configuration import Configuration
from sealmesh.errors.marble import (
    CoordinatorUnavailable,
    MarbleConfigurationError,
    ProgramRefused,
)
from sealmesh.marble.agent_server import AgentServer
from sealmesh.marble.child import start
from sealmesh.marble.config import MarbleConfig
from sealmesh.marble.credential_files import CredentialFiles
from sealmesh.marble.dataplane_section import TlsBy
from sealmesh.marble.enrolment import Applicant, activate, activate_legacy
from sealmesh.marble.environment import declared_environment, program_environment, wrapped
from sealmesh.marble.membership import Credentials, Membership
from sealmesh.marble.parameter_files import write_files
from sealmesh.marble.program import Launch, MeasuredProgram, launch_of, load_measured, unmeasured
from sealmesh.marble.renewal import Renewal, pauses
from sealmesh.marble.uuid_file import read_or_create
from sealmesh.marble.watchdog import Watchdog

INJECT: Final = Path(sealmesh.dataplane.__file__).parent / "inject"


def run(config: MarbleConfig, *, clock: Callable[[], datetime] = system_clock) -> int:
    """Run a program as a Marble until it ends.

    Returns:
        The program's exit code; 128 + n where signal n ended it.

    Raises:
        SealmeshError: The program was not started; the error says why, and nothing was applied.
    """
    configure_log(config.log_format, config.log_level)
    program = _program(config)
    declared = declared_environment(program.environment, config.environment)
    applicant = _applicant(config, program, clock)
    membership = _join(config, applicant, program)
    credentials = membership.credentials
    launch = launch_of(program, membership.parameters.argv)
    environment = program_environment(declared, membership.parameters, credentials)
    wrap = _is_wrapped(program, launch, credentials)
    write_files(membership.parameters.files)
    with ExitStack() as stack:
        renewing = _Renewing(applicant, credentials, program, stack)
        if not wrap:
            return _run_beside(program, launch, environment, renewing)
        server = AgentServer(_configuration(config, program, credentials, generation=0))
        stack.callback(server.close)
        child = start(launch, wrapped(environment, inject=str(INJECT), agent=server.path))
        server.start()
        generations = count(1)
        renewing.start(
            lambda renewed: server.push(
                _configuration(config, program, renewed, generation=next(generations))
            )
        )
        watchdog = Watchdog(server.ready)
        code = child.wait(watchdog.check)
        watchdog.check_ended(code)
        return code


@dataclass(frozen=True, slots=True)
class _Renewing:
    """What a renewal needs, but for what to do with it."""

    applicant: Applicant
    credentials: Credentials
    program: MeasuredProgram
    stack: ExitStack

    def start(self, adopt: Callable[[Credentials], None]) -> None:
        renewal = Renewal(self.applicant, self.credentials, self.program.policy, adopt)
        self.stack.callback(renewal.stop)
        renewal.start()


def _run_beside(
    program: MeasuredProgram, launch: Launch, environment: Mapping[str, bytes], renewing: _Renewing
) -> int:
    """Run a program that is not wrapped; renew its credentials only where it can hear of it."""
    section = program.dataplane
    if section.credentials is None:
        logger().warning(
            "the program's certificate is not renewed; start it again before it expires",
            not_after=renewing.credentials.not_after.isoformat(),
            remedy='name a directory in the package: "dataplane": {"credentials": DIRECTORY}',
        )
        return start(launch, environment).wait(lambda: None)
    files = CredentialFiles(section.credentials)
    files.write(renewing.credentials)
    child = start(launch, environment)

    def adopt(renewed: Credentials) -> None:
        files.write(renewed)
        if section.reload is not None:
            child.send(section.reload.number)

    renewing.start(adopt)
    return child.wait(lambda: None)


def _program(config: MarbleConfig) -> MeasuredProgram:
    if config.attester is None:
        return unmeasured(config.command, config.environment.get("PATH"))
    return load_measured(config.package, config.command)


def _applicant(config: MarbleConfig, program: MeasuredProgram, clock: Callable[[], datetime]) -> Applicant:
    attester = _evidence_device(config.attester, program, clock)
    if attester is not None:
        logger().info("evidence", attester=attester.describe())
    return Applicant(
        address=config.coordinator,
        attester=attester,
        marble_type=config.marble_type,
        uuid=read_or_create(config.uuid_file),
        dns_names=config.dns_names,
        clock=clock,
    )


def _evidence_device(
    choice: AttesterChoice, program: MeasuredProgram, clock: Callable[[], datetime]
) -> EvidenceDevice | None:
    if isinstance(choice, SimulatedChoice):
        if program.package is None:
            return None
        return SimulatedAttester(choice.platform.path, program.package, family=choice.family, clock=clock)
    return None if choice is None else open_device(choice)


def _join(config: MarbleConfig, applicant: Applicant, program: MeasuredProgram) -> Membership:
    deadline = time.monotonic() + config.wait_seconds
    told: str | None = None
    for pause in pauses():
        try:
            membership = _activate(config, applicant, program)
        except CoordinatorUnavailable as error:
            if time.monotonic() + pause > deadline:
                raise
            if error.found != told:
                logger().info("waiting for the Coordinator", reason=str(error.message), found=error.found)
                told = error.found
            time.sleep(pause)
        else:
            _tell(applicant, membership.credentials)
            return membership
    raise AssertionError("pauses never end")


def _activate(config: MarbleConfig, applicant: Applicant, program: MeasuredProgram) -> Membership:
    if config.legacy:
        logger().warning(
            "legacy activation: the Coordinator is not verified, Access does not reach this Marble"
        )
        return activate_legacy(applicant)
    if program.policy is None:
        raise MarbleConfigurationError(
            "The package does not say how to recognize the Coordinator",
            wanted="`coordinator` in the package document: a policy, or the path of one",
            remedy="`sealmesh coordinator --print-policy` prints it; add it and sign the package again",
        )
    return activate(applicant, program.policy)


def _tell(applicant: Applicant, credentials: Credentials) -> None:
    logger().info(
        "joined the mesh",
        marble_type=applicant.marble_type,
        uuid=str(applicant.uuid),
        spiffe_id=credentials.spiffe_id,
        not_after=credentials.not_after.isoformat(),
    )
    if credentials.simulation:
        logger().warning("SIMULATION: hardware is simulated, nothing protects against who runs the machine")
    if credentials.relaxations:
        logger().warning("the Coordinator runs with relaxations", relaxations=credentials.relaxations)


def _is_wrapped(program: MeasuredProgram, launch: Launch, credentials: Credentials) -> bool:
    if program.dataplane.tls is TlsBy.OWN or not launch.python:
        why = "the package says so" if program.dataplane.tls is TlsBy.OWN else "it is not a Python program"
        logger().warning(
            "the program gets files and environment only; its connections are its own affair", because=why
        )
        return False
    if credentials.spiffe_id is None:
        raise ProgramRefused(
            "This Coordinator's certificates carry no SPIFFE ID, so the data plane cannot tell peers apart",
            remedy='Do TLS in the program and say `"dataplane": {"tls": "own"}` in the package',
        )
    if program.dataplane.credentials is not None:
        raise ProgramRefused(
            "The package wants certificate and key in files, but the data plane does this program's TLS",
            found=f'"credentials": "{program.dataplane.credentials}"',
            remedy='Leave it out, or do TLS in the program and say `"tls": "own"`',
        )
    logger().info(
        "TLS inside the program; children get it too, or no network; C code of its own is not confined"
    )
    return True


def _configuration(
    config: MarbleConfig, program: MeasuredProgram, credentials: Credentials, *, generation: int
) -> Configuration:
    if credentials.spiffe_id is None:
        raise RuntimeError("only called for credentials that name the Marble")
    return Configuration(
        trust_domain=credentials.trust_domain,
        spiffe_id=credentials.spiffe_id,
        marble_type=config.marble_type,
        certificate_chain=credentials.certificate_chain_pem,
        key=credentials.key_pem,
        marble_root=credentials.marble_root_pem,
        incoming=credentials.tls.incoming,
        outgoing=credentials.tls.outgoing,
        policy=credentials.policy,
        options=program.dataplane.options,
        not_after=int(credentials.not_after.timestamp()),
        generation=generation,
    )
