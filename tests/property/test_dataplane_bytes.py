"""What agent, peers and documents may send to the data plane: our error or a value, for any bytes."""

import json
import subprocess
import sys
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import example, given
from hypothesis import strategies as st

from sealmesh.dataplane.address import parse_destination, parse_ip
from sealmesh.dataplane.channel import decode_line, encode_line
from sealmesh.dataplane.configuration import Configuration, IncomingRule, Options, OutgoingRule
from sealmesh.dataplane.der import extension_value
from sealmesh.dataplane.identity import identify
from sealmesh.dataplane.interpreter import is_python, unwrapped_option
from sealmesh.errors import SealmeshError
from sealmesh.errors.dataplane import AgentUnreachableError, PeerIdentityError
from sealmesh.policy import AccessPolicy, PortSet, Rule

DOMAIN = "mesh-0123456789abcdef0123456789abcdef"
OID = x509.ObjectIdentifier("1.3.9903.2.1")
OID_BYTES = bytes.fromhex("2bcd2f0201")
CONFIGURATION = Configuration(
    trust_domain=DOMAIN,
    spiffe_id=f"spiffe://{DOMAIN}/marble/shop/{uuid.UUID(int=1)}",
    marble_type="shop",
    certificate_chain="chain",
    key="key",
    marble_root="root",
    incoming=(IncomingRule(port=1), IncomingRule(port=2, client_auth=False, certificate="c", key="k")),
    outgoing=(OutgoingRule(host="stock", port=65535),),
    policy=AccessPolicy((Rule(from_=frozenset({"buyer"}), to="shop", ports=PortSet.of(8443)),)),
    options=Options(),
    not_after=1_800_000_000,
    generation=7,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all values in a JSON document."""
    inner: Any = ()
    if isinstance(document, dict | list):
        inner = document.items() if isinstance(document, dict) else enumerate(document)
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


PLACES = _places(CONFIGURATION.to_document())[1:]


@given(st.binary(max_size=200))
@example(b"[" * 2_000)
@example(b"1" * 5_000)
@example(b'{"version": 1e999}')
@example(b"\xff")
def test_any_line_is_a_message_or_refused(line: bytes) -> None:
    with suppress(AgentUnreachableError):
        assert decode_line(line)["version"] == 1


@given(st.dictionaries(st.text(max_size=12), values, max_size=5))
def test_what_was_said_is_what_is_heard(message: dict[str, Any]) -> None:
    message = json.loads(json.dumps(message | {"version": 1}).replace("NaN", "0"))
    assert decode_line(encode_line(message)[:-1]) == message


def test_configuration_comes_back_as_it_was() -> None:
    assert Configuration.parse(json.loads(json.dumps(CONFIGURATION.to_document()))) == CONFIGURATION


@given(values)
def test_any_document_is_a_configuration_or_refused(document: Any) -> None:
    with pytest.raises(SealmeshError):
        Configuration.parse(document)


@given(st.sampled_from(PLACES), values)
def test_configuration_with_one_place_changed_is_read_whole_or_refused(
    place: tuple[Any, ...], value: Any
) -> None:
    document = CONFIGURATION.to_document()
    inner: Any = document
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with suppress(SealmeshError):
        parsed = Configuration.parse(document).to_document()
        document["options"] = {"egress": "refuse", "ingress": "refuse"} | document["options"]
        assert parsed == document, "nothing may be read as something else"


@given(st.sampled_from(PLACES))
def test_configuration_without_one_of_its_keys_is_refused(place: tuple[Any, ...]) -> None:
    document = CONFIGURATION.to_document()
    inner: Any = document
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    if isinstance(place[-1], str) and place[:-1] != ("options",):
        with pytest.raises(SealmeshError):
            Configuration.parse(document)
    else:  # shorter lists and default options are fine
        assert Configuration.parse(document).trust_domain == DOMAIN


@given(st.text(max_size=30), values)
def test_configuration_with_an_unknown_key_is_refused(name: str, value: Any) -> None:
    document = CONFIGURATION.to_document()
    if name not in document:
        with pytest.raises(SealmeshError):
            Configuration.parse(document | {name: value})


@given(st.binary(max_size=300))
def test_any_bytes_have_the_extension_or_not_or_are_refused(certificate: bytes) -> None:
    with suppress(PeerIdentityError):
        assert extension_value(certificate, OID_BYTES) is None


def _certificate(marble_type: bytes) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(
        x509.Name([]), x509.Name([]), key.public_key(), 1, now, now + timedelta(1)
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.UnrecognizedExtension(OID, marble_type), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


CERTIFICATE = _certificate(b"shop")


@given(st.integers(0, len(CERTIFICATE) * 8 - 1))
def test_certificate_with_a_flipped_bit_gives_a_value_or_our_error(bit: int) -> None:
    changed = bytearray(CERTIFICATE)
    changed[bit // 8] ^= 1 << bit % 8
    with suppress(PeerIdentityError):
        extension_value(bytes(changed), OID_BYTES)


@given(st.integers(0, len(CERTIFICATE) - 1))
def test_certificate_that_is_cut_is_refused(length: int) -> None:
    if length == 0:
        return
    with pytest.raises(PeerIdentityError):
        extension_value(CERTIFICATE[:length], OID_BYTES)


sans = st.lists(
    st.tuples(st.sampled_from(["URI", "DNS", "IP Address"]), st.text(max_size=40))
    | st.tuples(st.just("URI"), st.text(max_size=60).map("spiffe://".__add__))
    | st.tuples(st.just("URI"), st.text(max_size=40).map(f"spiffe://{DOMAIN}/marble/".__add__))
    | st.tuples(
        st.just("URI"),
        st.text("abc_0123456789AF.-%/\n\u0660", max_size=12).map(
            lambda word: f"spiffe://{DOMAIN}/marble/{word}/{uuid.UUID(int=1)}"
        ),
    ),
    max_size=3,
)


@given(sans)
def test_any_names_are_one_marble_or_refused(names: list[tuple[str, str]]) -> None:
    try:
        peer = identify(names, CERTIFICATE, trust_domain=DOMAIN)
    except PeerIdentityError:
        return
    assert peer.marble_type == "shop", "the extension of this certificate says so"
    assert [value for kind, value in names if value.startswith("spiffe://") and kind == "URI"] == [
        peer.spiffe_id
    ]


@given(st.text(max_size=60))
@example("::ffff:127.0.0.1%eth0")
@example("[::1]")
@example("\0")
def test_any_host_is_an_address_or_a_name(host: str) -> None:
    for parsed in (parse_ip(host), parse_destination(host)):
        assert parsed is None or parsed.version in (4, 6)


@given(st.binary(max_size=300), st.lists(st.text(max_size=8), max_size=5))
def test_any_file_is_judged_a_python_program_or_not(content: bytes, words: list[str]) -> None:
    path = Path(_FOLDER) / "program"
    path.write_bytes(content)
    assert is_python(str(path)) in (True, False)
    assert unwrapped_option(str(path), words) in (None, "I", "E", "S")
    assert unwrapped_option("/usr/bin/python3", words) in (None, "I", "E", "S")


@pytest.fixture(scope="module", autouse=True)
def _folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _FOLDER
    _FOLDER = str(tmp_path_factory.mktemp("programs"))


_FOLDER = ""
#: Prints whether this interpreter reads PYTHONPATH and loads `sitecustomize`.
_LOADS = "import sys; print(not sys.flags.ignore_environment and not sys.flags.no_site)"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["-B"],
        ["-I"],
        ["-E"],
        ["-S"],
        ["-BE"],
        ["-sS"],
        ["-uI"],
        ["-W", "ignore", "-I"],
        ["-Wignore", "-E"],
        ["-X", "utf8", "-S"],
        ["-Xutf8"],
        ["-WE"],
        ["-W", "E::I"],
        ["--check-hash-based-pycs", "always", "-I"],
        ["-OO", "-qs"],
    ],
)
def test_judgement_of_the_options_is_the_interpreters_own(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *words, "-c", _LOADS], capture_output=True, text=True, check=True, env={}
    )
    loads = done.stdout == "True\n"
    assert (unwrapped_option(sys.executable, [*words, "-c", _LOADS]) is None) == loads
