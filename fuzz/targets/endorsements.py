"""Endorsements of the other families: PEM, keys and revocation lists for SNP, TPM, CCA and GPU."""

from contextlib import suppress
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fuzz.makers import evidence_maker
from fuzz.target import Target
from sealmesh.attestation import parse_endorsements, parse_evidence, verify
from sealmesh.errors import SealmeshError

_FAMILIES = ("snp", "tpm", "cca", "gpu")


@cache
def _evidence(family: str) -> Any:
    return parse_evidence(evidence_maker().genuine(family).raw)


def _verify(data: bytes) -> None:
    """Take the same bytes for each family; refuse only if all do."""
    refusals: list[SealmeshError] = []
    for family in _FAMILIES:
        own = evidence_maker().genuine(family)
        try:
            collateral = parse_endorsements(_evidence(family), data)
        except SealmeshError as error:
            refusals.append(error)
            continue
        with suppress(SealmeshError):
            verify(_evidence(family), collateral, roots=own.roots, now=evidence_maker().NOW)
    if len(refusals) == len(_FAMILIES):
        raise refusals[0]


def _seeds() -> dict[str, bytes]:
    gpu, tpm, cca = (evidence_maker().load(name) for name in ("gpu", "tpm", "cca"))
    keys = (tpm.AK.public_key(), cca.PLATFORM_KEY.public_key())
    spki = [key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in keys]
    return {"certificates": gpu.CHAIN, "attestation key": spki[0], "platform key": spki[1]}


TARGET = Target(
    run=_verify,
    seeds=_seeds,
    words=(b"-----BEGIN X509 CRL-----\n", b"-----BEGIN PUBLIC KEY-----\n", b"-----END CERTIFICATE-----\n"),
    milliseconds=4 * 50,
)
