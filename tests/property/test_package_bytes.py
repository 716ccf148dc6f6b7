"""Package documents, signatures and signing keys: any bytes are read or refused, nothing changed holds."""

import json
import tempfile
from base64 import b64decode, b64encode
from contextlib import suppress
from functools import cache
from pathlib import Path
from time import perf_counter

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sealmesh.adapters.attester.document import load_document
from sealmesh.adapters.attester.package import load, sign
from sealmesh.adapters.attester.signature_file import parse_signature
from sealmesh.adapters.attester.signing_key import encode_signing_key, parse_signing_key
from sealmesh.errors.attestation import PackageError

quick = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just(10**30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
DOCUMENT = {
    "exe": "app.py",
    "args": ["--port", "1"],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "fromHost": True}],
    "files": ["app.py", {"source": "data", "target": "/data"}],
    "key": "private.pem",
    "productID": 1,
    "securityVersion": 2,
    "debug": False,
    "coordinator": {"Coordinator": {"UniqueID": "aa"}},
    "dataplane": {"egress": []},
    "heapSize": 5,
}


@cache
def folder() -> Path:
    """A signed package, made once."""
    path = Path(tempfile.mkdtemp(prefix="sealmesh-package-"))
    (path / "app.py").write_text("print(1)\n")
    (path / "data").mkdir()
    (path / "data" / "one").write_text("1")
    (path / "private.pem").write_bytes(encode_signing_key(rsa.generate_private_key(3, 3072)))
    (path / "sealmesh.json").write_text(json.dumps(DOCUMENT))
    sign(path / "sealmesh.json", path / "private.pem")
    return path


def read(raw: bytes, suffix: str) -> None:
    path = folder() / f"other{suffix}"
    path.write_bytes(raw)
    with suppress(PackageError):
        document = load_document(path)
        assert document.exe
        assert document.product_id >= 0
        assert document.security_version >= 0


def test_the_package_that_is_changed_here_is_good() -> None:
    package = load(folder() / "sealmesh.json")
    assert package.signature is not None


@quick
@given(st.binary(max_size=300), st.sampled_from([".json", ".yaml"]))
@example(b"a: &a [*a]", ".yaml")
@example(b"? [1]\n: 2", ".yaml")
@example(b"exe: !!python/object:os.system x", ".yaml")
@example(b"productID: 1_0__0", ".yaml")
@example(b"exe: 2001-13-45", ".yaml")
@example(b"!!int ", ".yaml")
@example(b"exe: !!float ''", ".yaml")
@example(b"debug: !!bool x", ".yaml")
@example(b"exe: !!timestamp x", ".yaml")
def test_any_bytes_are_a_document_or_refused(raw: bytes, suffix: str) -> None:
    read(raw, suffix)


@quick
@given(st.sampled_from(sorted(DOCUMENT)), VALUES, st.sampled_from([".json", ".yaml"]))
def test_any_value_of_any_field_is_read_or_refused(name: str, value: object, suffix: str) -> None:
    read(json.dumps(DOCUMENT | {name: value}).encode(), suffix)


@pytest.mark.parametrize(
    ("attack", "raw"),
    [
        ("aliases of aliases", "dataplane: &a0 [x, x]\n"),
        ("many files", json.dumps(DOCUMENT | {"files": [f"f{n}" for n in range(60_000)]})),
        ("deep nesting", "dataplane: " + "[" * 20_000),
    ],
    ids=lambda value: value if len(value) < 30 else "",
)
def test_no_document_takes_long(attack: str, raw: str) -> None:
    if attack == "aliases of aliases":
        levels = "".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
        raw = f"exe: app.py\ndataplane:\n  - &a0 [x]\n{levels}"
    start = perf_counter()
    read(raw.encode(), ".yaml" if attack != "many files" else ".json")
    assert perf_counter() - start < 10


@quick
@given(st.binary(max_size=300))
def test_any_bytes_as_signature_are_refused(raw: bytes) -> None:
    with pytest.raises(PackageError):
        parse_signature(raw, name="x.sig")


@quick
@given(st.data())
def test_any_value_anywhere_in_a_signature_is_refused_or_the_same(data: st.DataObject) -> None:
    good = json.loads((folder() / "sealmesh.json.sig").read_bytes())
    changed = json.loads(json.dumps(good))
    part = data.draw(st.sampled_from(["format", "structure", "content", *good["content"]]))
    place = changed if part in changed else changed["content"]
    place[part] = data.draw(VALUES)
    with suppress(PackageError):
        found = parse_signature(json.dumps(changed).encode(), name="x.sig")
        assert found == parse_signature(json.dumps(good).encode(), name="x.sig")


@quick
@given(st.data())
def test_a_flipped_bit_in_the_signed_structure_never_holds(data: st.DataObject) -> None:
    good = json.loads((folder() / "sealmesh.json.sig").read_bytes())
    raw = bytearray(b64decode(good["structure"]))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    good["structure"] = b64encode(raw).decode()
    with pytest.raises(PackageError):
        parse_signature(json.dumps(good).encode(), name="x.sig")


@quick
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"-----BEGIN {text}-----".encode()))
def test_any_bytes_as_signing_key_are_refused(raw: bytes) -> None:
    with pytest.raises(PackageError):
        parse_signing_key(raw, name="x.pem")
