"""`sealmesh certificate root|intermediate|chain`."""

from pathlib import Path

import typer

from sealmesh.cli.files import write_file
from sealmesh.cli.options import AddressArgument, OutputOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.session import session
from sealmesh.cli.trust import Trust

app = typer.Typer(help="Fetch the verified certificates of the mesh.", no_args_is_help=True)


@app.command()
@with_options
def root(address: AddressArgument, *, file: OutputOption = None, trust: Trust, output: Output) -> None:
    """Write the root certificate (PEM), by default to `marblerunRootCA.crt`.

    Every Marble's chain ends in it, and the Coordinator's client API shows it.

    Example: `sealmesh certificate root localhost:4433 --policy policy.json -o root.pem`
    """
    _write(address, file or Path("marblerunRootCA.crt"), "root", trust, output)


@app.command()
@with_options
def intermediate(
    address: AddressArgument, *, file: OutputOption = None, trust: Trust, output: Output
) -> None:
    """Write the intermediate certificate (PEM), by default to `marblerunIntermediateCA.crt`.

    It issues the Marbles' certificates and is renewed by updates.

    Example: `sealmesh certificate intermediate localhost:4433 --policy policy.json`
    """
    _write(address, file or Path("marblerunIntermediateCA.crt"), "intermediate", trust, output)


@app.command()
@with_options
def chain(address: AddressArgument, *, file: OutputOption = None, trust: Trust, output: Output) -> None:
    """Write intermediate and root (PEM), by default to `marblerunChainCA.crt`.

    Example: `sealmesh certificate chain localhost:4433 --policy policy.json -o chain.pem`
    """
    _write(address, file or Path("marblerunChainCA.crt"), "chain", trust, output)


def _write(address: str, file: Path, which: str, trust: Trust, output: Output) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    with session(address, trust, output) as coordinator:
        certificates = x509.load_pem_x509_certificates(coordinator.chain_pem.encode())
    chosen = {"root": certificates[-1:], "intermediate": certificates[:1], "chain": certificates}[which]
    pem = "".join(item.public_bytes(Encoding.PEM).decode() for item in chosen)
    write_file(file, pem.encode())
    output.result(f"Wrote the {which} certificate to {file}", {"file": str(file), "pem": pem})
