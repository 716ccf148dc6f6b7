"""`sealmesh sign`, `uniqueid`, `signerid`, `package-info`: the measurements a manifest names."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sealmesh.cli.options import JsonOption, with_options
from sealmesh.cli.output import Output
from sealmesh.cli.trust import Trust

if TYPE_CHECKING:
    from sealmesh.attestation.simulated import SignatureStructure, SimulatedEnclave

_DOCUMENTS = ("sealmesh.json", "sealmesh.yaml", "enclave.json")
PackageArgument = Annotated[
    Path, typer.Argument(metavar="PACKAGE", help="sealmesh.json, .yaml or enclave.json, or its folder.")
]


def sign(
    package: PackageArgument = Path(),
    *,
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="PEM", help="RSA-3072 with exponent 3; default: the package's `key`."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a package and sign it; `sealmesh run` starts only what is as it was signed.

    Every file that the package names is measured, its arguments and its declared environment too: one
    changed byte gives another UniqueID. The key is made if it is not there. The signature is written
    beside the package, as `sealmesh.json.sig`.

    Example: `sealmesh sign bookstore/`
    """
    from sealmesh.adapters.attester.package import sign as sign_on_disk

    output = Output(as_json=as_json)
    signed = sign_on_disk(package, key)
    for note in signed.notes:
        output.note(note)
    structure = signed.verify_signed()
    output.result(
        f"UniqueID         {structure.unique_id.hex()}\n"
        f"SignerID         {structure.signer_id.hex()}\n"
        f"ProductID        {structure.product_id}\n"
        f"SecurityVersion  {structure.security_version}\n"
        f"Debug            {str(structure.debug).lower()}",
        _entry(structure),
    )


@with_options
def package_info(
    enclave: Annotated[
        Path, typer.Argument(metavar="PATH", help="A signed enclave or package, or its folder.")
    ],
    *,
    trust: Trust,
    output: Output,
) -> None:
    """Print what a manifest needs to know of a signed enclave, as an entry for `Packages`.

    Takes packages of sealmesh, Gramine's `.sig`, programs signed by EGo, Occlum's image folders. Of enclaves
    of others only the signature is read, not whether the file measures to it.

    Example: `sealmesh package-info python.sig`
    """
    del trust  # accepted as MarbleRun's client accepts it
    entry = _entry(_signature(enclave))
    output.result(json.dumps(entry, indent=2), entry)


def _signature(path: Path) -> "SignatureStructure | SimulatedEnclave":
    from sealmesh.adapters.attester.enclave_file import enclave_signature
    from sealmesh.adapters.attester.package import load

    if path.suffix in (".json", ".yaml", ".yml") or any((path / name).is_file() for name in _DOCUMENTS):
        return load(path).verify_signed()
    return enclave_signature(path)


def _entry(structure: "SignatureStructure | SimulatedEnclave") -> dict[str, object]:
    return {
        "UniqueID": structure.unique_id.hex(),
        "SignerID": structure.signer_id.hex(),
        "ProductID": structure.product_id,
        "SecurityVersion": structure.security_version,
        "Debug": structure.debug,
    }


def uniqueid(package: PackageArgument = Path(), *, as_json: JsonOption = False) -> None:
    """Print the UniqueID of a package as it is on disk now, for `Packages.*.UniqueID`.

    Example: `sealmesh uniqueid bookstore/`
    """
    from sealmesh.adapters.attester.package import unique_id

    found = unique_id(package).hex()
    Output(as_json=as_json).result(found, {"UniqueID": found})


def signerid(
    package: Annotated[
        Path, typer.Argument(metavar="PACKAGE|KEY.pem", help="A signed package, or a signing key.")
    ] = Path(),
    *,
    as_json: JsonOption = False,
) -> None:
    """Print the SignerID of a signed package or of a key, for `Packages.*.SignerID`.

    Example: `sealmesh signerid private.pem`
    """
    from sealmesh.adapters.attester.package import signer_id

    found = signer_id(package).hex()
    Output(as_json=as_json).result(found, {"SignerID": found})


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (sign, uniqueid, signerid, package_info):
        app.command(rich_help_panel="Packages")(command)
