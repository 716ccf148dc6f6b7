"""NVIDIA's reference integrity manifests, as they come and with any payload under a good signature."""

from contextlib import suppress
from typing import Any

from fuzz.makers import maker
from fuzz.target import Target
from sealmesh.attestation import Family, TrustRoot
from sealmesh.attestation.gpu.rim import verify_rim
from sealmesh.errors import SealmeshError

_WORDS = b"<ns0:Resource /> <!-- --> <![CDATA[ ]]> &#x0; &amp; xmlns:x='u' ns2:Hash1= active= alternatives="


def _maker() -> Any:
    return maker("evidence/rim.py")


def _verify(raw: bytes) -> None:
    """Verify the bytes as a whole document, then as the payload of a signed one."""
    rim = _maker()
    root = TrustRoot(name="fuzz", family=Family.GPU, sha256=rim.ROOT_SHA256)
    with suppress(SealmeshError):
        verify_rim(raw, roots=[root], at=rim.NOW)
    signed = rim.Rim(resources=(raw.decode(errors="replace"),)).encode()
    verify_rim(signed, roots=[root], at=rim.NOW)


TARGET = Target(
    run=_verify,
    seeds=lambda: {"payload": "".join(_maker().VBIOS.resources).encode()},
    words=tuple(_WORDS.split()),
    longest=8192,
)
