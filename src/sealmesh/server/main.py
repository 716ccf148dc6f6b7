"""Run a Coordinator.

Order: evidence, settings, a fresh authority; then the state is looked at once (and the startup manifest
set) before anything listens, so that what is wrong ends the process with a non-zero code. With several
workers all that happens in the parent, which closes the state again before it forks.
"""

import socket
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvloop

from sealmesh import __version__
from sealmesh.adapters.http.sockets import bind
from sealmesh.adapters.log import configure_log, logger
from sealmesh.adapters.socket_directory import socket_directory
from sealmesh.coordinator.phase import Phase
from sealmesh.errors import SealmeshError
from sealmesh.errors.configuration import StartupManifestRefused
from sealmesh.errors.store import SealedDataError
from sealmesh.server.composition import Parts, build_settings, compose, fresh_authority
from sealmesh.server.configuration import ServerConfiguration
from sealmesh.server.evidence import build_evidence
from sealmesh.server.exit_code import ExitCode
from sealmesh.server.lifeline import Lifeline
from sealmesh.server.one_cpu import share_of
from sealmesh.server.sealing_choice import PlatformSealing
from sealmesh.server.serving import serve
from sealmesh.server.sockets import Sockets
from sealmesh.server.supervisor import Supervisor
from sealmesh.server.values import Address

#: A port may still be held by a predecessor that ends, or by somebody's outgoing connection.
_PORT_PATIENCE_SECONDS: Final = 5.0


def run(configuration: ServerConfiguration) -> int:
    """Serve until told to stop; return the exit code of a process that ended as it should.

    Raises:
        SealmeshError: It cannot start: configuration, platform, state, startup manifest or addresses.
            `exit_code_of` gives the code for each.
    """
    configure_log(configuration.log_format, configuration.log_level)
    evidence = build_evidence(configuration)
    settings = build_settings(configuration, evidence)
    fresh = fresh_authority(settings)

    def parts() -> Parts:
        return compose(configuration, evidence, settings, fresh)

    first = parts()
    _begin(first, configuration)
    _announce(configuration, first, evidence.attester.describe() if evidence.attester else "none")
    if configuration.workers == 1:
        return _serve(configuration, first, None)
    first.close()
    reserved = _bind(configuration, reuse_port=False)
    configuration = _with_ports(configuration, reserved)
    reserved.close()
    with socket_directory() if configuration.metrics else nullcontext() as meeting:
        return Supervisor(
            configuration.workers,
            lambda line, number: _serve(configuration, parts(), line, number=number, workers=meeting),
            alone=lambda: _still_waits(first),
        ).run()


def exit_code_of(error: SealmeshError) -> ExitCode:
    """Return the code that a process ends with for `error`."""
    return ExitCode.STATE if isinstance(error, SealedDataError) else ExitCode.CONFIGURATION


def _begin(first: Parts, configuration: ServerConfiguration) -> None:
    """Look at the state, and set the startup manifest.

    Raises:
        SealedDataError, StateCorrupt: The state is damaged.
        StartupManifestRefused: It is missing, not accepted, or there is a state already.
    """
    code = first.coordinator.status().code
    path = configuration.startup_manifest
    if path is None:
        return
    if code != Phase.ACCEPTING_MANIFEST:
        raise StartupManifestRefused(
            "a startup manifest is set, but there is a state already", found=str(path)
        )
    try:
        first.coordinator.set_manifest(path.read_bytes())
    except OSError as error:
        raise StartupManifestRefused(
            "the startup manifest cannot be read", found=f"{path}: {error.strerror}"
        ) from error
    except SealmeshError as error:
        raise StartupManifestRefused(
            f"the startup manifest is refused: {error.message}",
            found=error.found,
            wanted=error.wanted,
            remedy=error.remedy or None,
        ) from error


def _still_waits(first: Parts) -> bool:
    """Look whether the state waits for recovery, in the parent, which must not keep it open.

    The seat looks again only when its files changed: a TPM or a token is not asked twice a second.
    """
    try:
        if first.seat.needs_recovery():
            return True
    except SealmeshError as error:
        logger().warning("the state cannot be looked at", reason=error.message, found=error.found)
        return True
    first.close()
    return False


def _announce(configuration: ServerConfiguration, first: Parts, attester: str) -> None:
    status = first.coordinator.status()
    logger().info(
        "coordinator starting",
        version=__version__,
        state=status.code,
        attester=attester,
        sealer=first.sealer,
        anchor=first.anchor,
        workers=configuration.workers,
        relaxations=list(status.relaxations),
        simulation=status.simulation,
    )
    if status.recovery is not None:
        logger().warning("the state waits for recovery", reason=status.recovery.reason)
    for name in status.relaxations:
        logger().warning("relaxation in force", relaxation=name)
    if configuration.attester_assumed:
        logger().warning(
            "nobody named an attester: Evidence is simulated, and Marbles' simulated Evidence is refused",
            remedy="Say how with --attester (SEALMESH_ATTESTER), or OE_SIMULATION=1.",
        )
    if not first.seal_modes:
        logger().warning(
            "there is no key to seal the state with: only manifests with SealMode Disabled are taken",
            remedy="Name one with --sealer (SEALMESH_SEALER).",
        )
    if configuration.attester is None and isinstance(configuration.sealers[0], PlatformSealing):
        logger().warning("the state is sealed with a key that everybody knows: there is no TEE")


def _serve(
    configuration: ServerConfiguration,
    parts: Parts,
    lifeline: Lifeline | None,
    *,
    number: int = 0,
    workers: Path | None = None,
) -> int:
    sockets = _bind(configuration, reuse_port=lifeline is not None)
    try:
        uvloop.run(
            serve(
                parts.coordinator,
                sockets,
                lifeline,
                workers=workers,
                open_metrics=configuration.open_metrics,
                cpus=share_of(number, configuration.workers) if configuration.one_cpu else None,
            )
        )
    finally:
        sockets.close()
        parts.close()
    return ExitCode.OK


def _bind(configuration: ServerConfiguration, *, reuse_port: bool) -> Sockets:
    def bound(address: Address) -> list[socket.socket]:
        return bind(
            address.host, address.port, reuse_port=reuse_port, patience_seconds=_PORT_PATIENCE_SECONDS
        )

    metrics = configuration.metrics
    return Sockets(
        mesh=bound(configuration.mesh),
        client=bound(configuration.client),
        metrics=bound(metrics) if metrics else (),
    )


def _with_ports(configuration: ServerConfiguration, reserved: Sockets) -> ServerConfiguration:
    """Return the configuration with the ports that were chosen where it says 0; the same in all workers."""
    metrics = configuration.metrics
    return replace(
        configuration,
        mesh=Address(configuration.mesh.host, _port(reserved.mesh)),
        client=Address(configuration.client.host, _port(reserved.client)),
        metrics=Address(metrics.host, _port(reserved.metrics)) if metrics else None,
    )


def _port(sockets: Sequence[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1])
