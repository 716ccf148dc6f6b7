"""Signed enclaves: programs of EGo and Open Enclave, Gramine's `.sig`; the signature is anywhere in them."""

from fuzz.target import Target
from fuzz.targets.package_signature import structure
from sealmesh.adapters.attester.enclave_file import signature_in


def _find(content: bytes) -> None:
    found, own = signature_in(content), structure()
    if found is not None:  # by this run's key, or by an earlier one's: the corpus is kept
        said = (found.unique_id, found.product_id, found.security_version, found.debug)
        assert said == (own.unique_id, own.product_id, own.security_version, own.debug), "nobody signed that"


TARGET = Target(
    run=_find,
    seeds=lambda: {
        "Gramine's": structure().raw,
        "inside a program": b"\x7fELF".ljust(300, b"\0") + structure().raw + bytes(200),
        "twice": structure().raw * 2,
    },
    words=(
        bytes.fromhex("06000000e10000000000010000000000"),
        bytes.fromhex("01010000600000006000000001000000"),
    ),
)
