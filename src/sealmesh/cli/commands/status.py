"""`sealmesh status`."""

from dataclasses import asdict

import typer

from sealmesh.cli.options import AddressArgument, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.session import session
from sealmesh.cli.trust import Trust


@with_options
def status(address: AddressArgument, *, trust: Trust, output: Output) -> None:
    """Print the Coordinator's phase as `code: message`.

    0 uninitialized, 1 waiting for recovery, 2 waiting for a manifest, 3 running and admitting Marbles.
    Relaxations in force and simulation are named on lines of their own.

    Example: `sealmesh status localhost:4433`
    """
    with session(address, trust, output, may_be_unverified=True) as coordinator:
        found = coordinator.api.status()
    lines = [f"{found.code}: {found.message}"]
    if found.simulation:
        lines.append("simulation: the hardware is simulated, or simulated hardware is let in")
    if found.relaxations:
        lines.append(f"relaxations in force: {', '.join(found.relaxations)}")
    if found.recovery is not None:
        waiting = found.recovery
        lines.append(f"why: {waiting.reason}")
        lines.append(f"recovery secrets given: {waiting.given} of {waiting.threshold} needed")
    output.result(
        "\n".join(lines),
        {
            "code": found.code,
            "message": found.message,
            "simulation": found.simulation,
            "relaxations": list(found.relaxations),
            **({} if found.recovery is None else {"recovery": asdict(found.recovery)}),
        },
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(status)
