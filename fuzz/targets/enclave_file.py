"""Signed enclaves: programs of EGo and Open Enclave, Gramine's `.sig`; the signature is anywhere in them."""

from fuzz.target import Target
from fuzz.targets.package_signature import structure
from sealmesh.adapters.attester.enclave_file import signature_in


def _find(content: bytes) -> None:
    found = signature_in(content)
    assert found is None or found == structure(), "a signature that nobody made"


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
