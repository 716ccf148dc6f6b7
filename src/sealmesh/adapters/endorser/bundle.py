"""Collateral from files: one document, or a directory of documents for many platforms."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.adapters.endorser.claimed import ClaimedPlatforms, dcap_family
from sealmesh.attestation import Family, UnverifiedEvidence, parse_collateral
from sealmesh.attestation.dcap.certificates import Role, parse_chain
from sealmesh.attestation.dcap.quote_signature import verify_attestation_key
from sealmesh.attestation.dcap.tcb_info import parse_tcb_info
from sealmesh.errors.attestation import AttestationError, EndorserError, VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    path: Path
    raw: bytes
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Certified:
    """A document that brings the PCK certificate of one platform."""

    key: ec.EllipticCurvePublicKey
    family: Family
    raw: bytes


class BundleEndorser:
    """Collateral documents on disk, chosen by family, FMSPC and PCEID.

    A quote that names its PCK certificate gets the document with the certificate whose key signed it.

    Everything is read once, when it is made; make a new one when the files have changed. Of several
    documents for one kind of platform the one that lasts longest is given.

    Args:
        path: A document, or a directory whose `*.json` files are documents.

    Raises:
        EndorserError: A file that cannot be read or is no collateral; no file at all.
    """

    def __init__(self, path: Path) -> None:
        paths = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not paths:
            raise EndorserError(f"there is no collateral in {path}", wanted="files named *.json")
        self._path = path
        self._claimed = ClaimedPlatforms()
        self._entries: dict[tuple[Family, bytes, bytes], _Entry] = {}
        self._certified: list[_Certified] = []
        for file in paths:
            self._add(file)

    def collateral_for(self, evidence: UnverifiedEvidence) -> bytes:
        """Return the document for this kind of platform."""
        family = dcap_family(evidence)
        if family is None:
            raise EndorserError(f"{self._path} is for SGX and TDX", found=evidence.family)
        if evidence.dcap.signature.certification.pck_chain is None:
            return self._with_certificate(family, evidence)
        platform = self._claimed.of(evidence)
        entry = self._entries.get((family, platform.fmspc, platform.pce_id))
        if entry is None:
            raise EndorserError(
                f"no collateral for this platform in {self._path}",
                found=", ".join(f"{f}/{fmspc.hex()}" for f, fmspc, _ in self._entries),
                wanted=f"{family}/{platform.fmspc.hex()}",
            )
        return entry.raw

    def _with_certificate(self, family: Family, evidence: UnverifiedEvidence) -> bytes:
        """Return the document that has the PCK certificate which this quote only names."""
        for known in self._certified:
            with suppress(VerificationError):
                if known.family is family:
                    verify_attestation_key(evidence.dcap.signature.certification, known.key)
                    return known.raw
        raise EndorserError(
            f"no document in {self._path} has the PCK certificate of this quote",
            code="endorser:pck",
            wanted="pck_certificate_chain, as `sealmesh collateral fetch` of this quote writes it",
        )

    def _add(self, path: Path) -> None:
        try:
            raw = path.read_bytes()
            collateral = parse_collateral(raw)
            tcb_info = parse_tcb_info(collateral.tcb_info)
            if collateral.pck_certificate_chain is not None:
                pck = parse_chain(collateral.pck_certificate_chain, Role.PCK, Role.CA, Role.ROOT)[0]
                self._certified.append(_Certified(key=pck.key, family=tcb_info.family, raw=raw))
        except (OSError, AttestationError) as error:
            raise EndorserError(f"{path} is not collateral: {error}") from error
        key = (tcb_info.family, tcb_info.fmspc, tcb_info.pce_id)
        entry = _Entry(path=path, raw=raw, expires=tcb_info.validity.not_after)
        known = self._entries.get(key)
        if known is None or known.expires < entry.expires:
            self._entries[key] = entry
