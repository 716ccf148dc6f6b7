"""The functions that encode secrets: pem, hex, base64, raw for files; pem, hex, base64, string for variables.

Rules: COMPAT section 16. An empty value is an error for all of them, so that a secret that nobody uploaded
does not silently become an empty file.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sealmesh.manifest import SecretType
from sealmesh.provisioning.data.certificate import CertificateValue
from sealmesh.provisioning.data.root import PRIVATE_TYPE, PUBLIC_TYPE, SecretValue
from sealmesh.provisioning.gotemplate import ByteSlice, Function, FunctionError, Parameter, Value
from sealmesh.provisioning.gotemplate.values import type_name
from sealmesh.provisioning.pem import to_pem

__all__ = ["ENV_FUNCTIONS", "FILE_FUNCTIONS"]

_LABELS = {PRIVATE_TYPE: "PRIVATE KEY", PUBLIC_TYPE: "PUBLIC KEY"}


def _filled(data: bytes) -> bytes:
    if not data:
        raise FunctionError("the value is empty: there is no such part, or nobody has uploaded the secret")
    return data


def _contents(value: Value) -> bytes:
    """Return the bytes of a secret (its public part), of a certificate or of a key."""
    if isinstance(value, SecretValue):
        return _filled(value.public)
    if isinstance(value, CertificateValue):
        return _filled(value.raw)
    if isinstance(value, ByteSlice) and value.go_type in _LABELS:
        return _filled(value.data)
    raise FunctionError(
        f"cannot encode a value of type {type_name(value)}; wanted a secret, .Cert, .Private or .Public"
    )


def _pem(value: Value) -> Value:
    if isinstance(value, CertificateValue):
        return to_pem("CERTIFICATE", _filled(value.raw))
    if isinstance(value, ByteSlice) and value.go_type in _LABELS:
        return to_pem(_LABELS[value.go_type], _filled(value.data))
    raise FunctionError(
        f"pem takes .Cert, .Private or .Public of a secret, not a value of type {type_name(value)}"
    )


def _string(value: Value) -> Value:
    secret = value.secret if isinstance(value, SecretValue) else None
    if secret is None or secret.type is not SecretType.PLAIN:
        raise FunctionError("string takes a whole secret of type plain")
    if b"\0" in secret.public:
        raise FunctionError("the secret holds a NUL byte, which no environment variable can")
    return _filled(secret.public)


def _one(call: Callable[[Value], Value]) -> Function:
    return Function(call, (Parameter.ANY,))


_COMMON = {
    "pem": _one(_pem),
    "hex": _one(lambda value: _contents(value).hex().encode()),
    "base64": _one(lambda value: b64encode(_contents(value))),
}
FILE_FUNCTIONS: Mapping[str, Function] = MappingProxyType({**_COMMON, "raw": _one(_contents)})
ENV_FUNCTIONS: Mapping[str, Function] = MappingProxyType({**_COMMON, "string": _one(_string)})
