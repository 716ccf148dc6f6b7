"""Packages on disk: load, measure, sign.

    load(path)        the document, what is on disk, the signature if there is one
    sign(path)        load, then write `<document>.sig`
    unique_id(path), signer_id(path)

A package that runs must be signed, and unchanged since: `LoadedPackage.verify_signed`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sealmesh
from sealmesh.adapters.attester.document import PackageDocument, find_document, load_document
from sealmesh.adapters.attester.measuring import coordinator_policy, measure_document, measure_path
from sealmesh.adapters.attester.platform import PlatformDirectory
from sealmesh.adapters.attester.signature_file import (
    PackageSignature,
    encode_signature,
    parse_signature,
)
from sealmesh.adapters.attester.signing_key import load_or_generate, signer_id_of_pem
from sealmesh.adapters.clock import system_clock
from sealmesh.attestation.simulated import (
    PackageContent,
    SimulatedEnclave,
    differences,
    measure,
    sign_package,
)
from sealmesh.errors.attestation import PackageError

COORDINATOR_PRODUCT_ID = 1
COORDINATOR_SECURITY_VERSION = 1
_COORDINATOR_SUFFIXES = (".py", ".proto")
_SIGN_AGAIN = "Undo the change, or sign the package again: sealmesh sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedPackage:
    """A package as it is on disk now.

    Attributes:
        content: What was measured.
        signature: The signature file's content, None where the package is not signed. It holds in
            itself; that it fits `content` is for `verify_signed`.
        coordinator_policy: The policy for verifying the Coordinator (JSON), part of the measurement.
        document: What describes it; None for the Coordinator's own package.
        exe: The program that was measured; None for the Coordinator's own package.
        notes: Sentences for the user.
    """

    content: PackageContent
    signature: PackageSignature | None = None
    coordinator_policy: bytes | None = None
    document: PackageDocument | None = None
    exe: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def unique_id(self) -> bytes:
        """The measurement of what is on disk, 32 bytes."""
        return measure(self.content)

    @property
    def signer_id(self) -> bytes:
        """The SignerID, 32 bytes.

        Raises:
            PackageError: `package:unsigned`.
        """
        return self._signature.structure.signer_id

    def verify_signed(self) -> SimulatedEnclave:
        """Accept the package only if it is signed and as it was when it was signed.

        What a processor does before it starts an enclave.

        Raises:
            PackageError: `package:unsigned`, or `package:changed` with what changed.
        """
        signature = self._signature
        changed = list(differences(signature.content, self.content))
        if self.document is not None:
            structure = signature.structure
            changed += [
                f"{name} changed from {signed} to {found}"
                for name, signed, found in (
                    ("productID", structure.product_id, self.document.product_id),
                    ("securityVersion", structure.security_version, self.document.security_version),
                    ("debug", structure.debug, self.document.debug),
                )
                if signed != found
            ]
        if changed or signature.structure.unique_id != self.unique_id:
            raise PackageError(
                f"the package {self._name} is not as it was signed: {'; '.join(changed)}",
                code="package:changed",
                found=self.unique_id.hex(),
                wanted=signature.structure.unique_id.hex(),
                remedy=_SIGN_AGAIN,
            )
        return SimulatedEnclave.of(signature.structure)

    @property
    def _signature(self) -> PackageSignature:
        if self.signature is None:
            raise PackageError(
                f"the package {self._name} is not signed",
                code="package:unsigned",
                remedy=f"sealmesh sign {self._name}",
            )
        return self.signature

    @property
    def _name(self) -> str:
        return str(self.document.path) if self.document else self.content.exe


def load(path: Path | str, *, search_path: str | None = None) -> LoadedPackage:
    """Load the package that a document (or the directory it lies in) describes, and measure it.

    Args:
        path: The document or its directory.
        search_path: Where to look for the program; the process's PATH by default.

    Raises:
        PackageError: The document, a file it names, or the signature file is wrong.
    """
    document = load_document(find_document(Path(path)))
    content, exe = measure_document(document, search_path=search_path)
    file = document.signature_path
    signature = parse_signature(file.read_bytes(), name=str(file)) if file.is_file() else None
    return LoadedPackage(
        content=content,
        signature=signature,
        coordinator_policy=coordinator_policy(document),
        document=document,
        exe=exe,
    )


def sign(
    path: Path | str,
    key_path: Path | str | None = None,
    *,
    clock: Callable[[], datetime] = system_clock,
    search_path: str | None = None,
) -> LoadedPackage:
    """Measure and sign a package, writing `<document>.sig`.

    Args:
        path: The document or its directory.
        key_path: The signing key instead of the document's; made where it is missing, as EGo does
            (then `notes` says so).
        clock: For the date in the signature.
        search_path: As in `load`.

    Raises:
        PackageError: The document, a file it names, or the key is wrong.
    """
    document = load_document(find_document(Path(path)))
    key, note = load_or_generate(Path(key_path) if key_path else document.directory / document.key)
    content, exe = measure_document(document, search_path=search_path)
    structure = sign_package(
        measure(content),
        key,
        product_id=document.product_id,
        security_version=document.security_version,
        debug=document.debug,
        now=clock(),
    )
    package = LoadedPackage(
        content=content,
        signature=PackageSignature(structure=structure, content=content),
        coordinator_policy=coordinator_policy(document),
        document=document,
        exe=exe,
        notes=(note,) if note else (),
    )
    _write(document.signature_path, encode_signature(package._signature))
    return package


def unique_id(path: Path | str) -> bytes:
    """Return the UniqueID of the package at `path` as it is now, signed or not."""
    return load(path).unique_id


def signer_id(path: Path | str) -> bytes:
    """Return the SignerID of a signed package, or of a key in a PEM file.

    Raises:
        PackageError: Neither, or not signed.
    """
    if Path(path).suffix == ".pem":
        try:
            return signer_id_of_pem(Path(path).read_bytes(), name=str(path))
        except OSError as error:
            raise PackageError(f"{path} cannot be read", code="package:key", found=error.strerror) from error
    return load(path).signer_id


def coordinator_package(
    platform: PlatformDirectory, *, clock: Callable[[], datetime] = system_clock
) -> LoadedPackage:
    """Measure the installed sealmesh itself and sign it with the platform's house key.

    All Python sources and `.proto` files of the package count, nothing of the interpreter or of the
    libraries it uses.
    """
    root = Path(sealmesh.__file__).parent
    files = tuple(
        file for file in measure_path(root, "sealmesh") if file.name.endswith(_COORDINATOR_SUFFIXES)
    )
    content = PackageContent(exe="sealmesh coordinator", files=files)
    structure = sign_package(
        measure(content),
        platform.house_key(),
        product_id=COORDINATOR_PRODUCT_ID,
        security_version=COORDINATOR_SECURITY_VERSION,
        debug=False,
        now=clock(),
    )
    return LoadedPackage(content=content, signature=PackageSignature(structure=structure, content=content))


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(content)
        temporary.rename(path)
    except OSError as error:
        raise PackageError(
            f"the signature file {path} cannot be written", code="package:file", found=error.strerror
        ) from error
