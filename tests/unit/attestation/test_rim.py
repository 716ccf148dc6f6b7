"""NVIDIA's RIMs: what they say becomes Reference Values, and only if NVIDIA signed it."""

import importlib.util
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sealmesh.attestation import Family, TrustRoot
from sealmesh.attestation.gpu.rim import Component, VerifiedRim, accepting_rims, verify_rim
from sealmesh.cli import main
from sealmesh.errors.attestation import AttestationError, EndorsementFormatError
from sealmesh.manifest import parse_manifest


def _load(name: str) -> ModuleType:
    full = f"evidence_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[2] / "evidence" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[full])
    return sys.modules[full]


maker = _load("rim")
ROOT = TrustRoot(name="lab", family=Family.GPU, sha256=maker.ROOT_SHA256)
STRANGER = ec.derive_private_key(131, ec.SECP384R1())


def verified(raw: bytes, at: datetime = maker.NOW) -> VerifiedRim:
    return verify_rim(raw, roots=[ROOT], at=at)


def refusal(raw: bytes, at: datetime = maker.NOW) -> str:
    with pytest.raises(AttestationError) as caught:
        verified(raw, at)
    return caught.value.code


def test_a_rim_gives_the_measurements_that_are_in_use() -> None:
    """The number of a measurement is that of its SPDM block less one."""
    rim = verified(maker.VBIOS.encode())
    assert (rim.component, rim.version, rim.product) == (Component.VBIOS, "96.00.5E.00.01", "GH100")
    assert rim.measurements == {2: {b"\1" * 48}, 3: {b"\2" * 48, b"\3" * 48}}
    assert verified(maker.DRIVER.encode()).component is Component.DRIVER


SPELLINGS: dict[str, Callable[[str], str]] = {
    "a declaration": lambda text: '<?xml version="1.0" encoding="utf-8"?>\n' + text,
    "empty elements": lambda text: text.replace("></ns0:Resource>", "/>").replace("></ns0:Meta>", "/>"),
    "other order and quotes": lambda text: text.replace(
        'colloquialVersion="96.00.5E.00.01" product="GH100"',
        "product='GH100'   colloquialVersion='96.00.5E.00.01'",
    ),
    "comments": lambda text: text.replace("<ns0:Payload>", "<ns0:Payload><!-- said by nobody -->"),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "references to characters": lambda text: text.replace('"GH100"', '"&#71;H100"'),
    "a namespace declared again": lambda text: text.replace(
        "<ns0:Payload>", f'<ns0:Payload xmlns:ns0="{maker.SWID}">'
    ),
    "base64 in lines": lambda text: text.replace("</ds:SignatureValue>", "\n</ds:SignatureValue>"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_canonical_xml_makes_the_same_verifies(spelling: str) -> None:
    text = maker.VBIOS.encode().decode()
    assert SPELLINGS[spelling](text) != text
    assert verified(SPELLINGS[spelling](text).encode()) == verified(text.encode())


def other(old: str, new: str) -> Callable[[], bytes]:
    """The genuine RIM with a text exchanged."""

    def make() -> bytes:
        text = maker.VBIOS.encode().decode()
        assert old in text
        return text.replace(old, new, 1).encode()

    return make


V = maker.VBIOS
SELF_MADE = maker.certificate(STRANGER, "RIM Signer", "RIM CA", STRANGER, ca=False)
ATTACKS: list[tuple[str, Callable[[], bytes], str]] = [
    ("another measurement", other("01" * 48, "ff" * 48), "signature:rim"),
    ("a measurement switched off", other('active="True"', 'active="False"'), "signature:rim"),
    ("another version", other("96.00.5E.00.01", "96.00.5E.00.02"), "signature:rim"),
    ("a measurement added", other("<ns0:Payload>\n", "<ns0:Payload>\n" + maker.resource(9, bytes(48))),
     "signature:rim"),
    ("a prefix that means something else", other(f'xmlns:ns2="{maker.HASHES}"', 'xmlns:ns2="urn:x"'),
     "signature:rim"),
    ("a text between", other("<ns0:Payload>\n", "<ns0:Payload> \n"), "signature:rim"),
    ("signed by a stranger", lambda: V.but(key=STRANGER).encode(), "signature:rim"),
    ("a stranger's certificate in front",
     lambda: V.but(key=STRANGER, certificates=(SELF_MADE, maker.CA, maker.ROOT)).encode(),
     "signature:rim signer"),
    ("under a root of the attacker's",
     lambda: V.but(key=STRANGER, certificates=(
         maker.certificate(STRANGER, "RIM Signer", "RIM Root", STRANGER, ca=False),
         maker.certificate(STRANGER, "RIM Root", "RIM Root", STRANGER, ca=True))).encode(), "root:rim root"),
    ("signed by the CA", lambda: V.but(key=maker.CA_KEY, certificates=(maker.CA, maker.ROOT)).encode(),
     "profile:rim signer"),
    ("no certificates", lambda: V.but(certificates=()).encode(), "format:rim"),
    ("seven certificates", lambda: V.but(certificates=(maker.SIGNER,) * 7).encode(), "format:rim"),
    ("no signature", lambda: V.body("").encode(), "format:rim"),
    ("two signatures", lambda: V.body(V.signature() * 2).encode(), "format:rim"),
    ("the signature inside the payload",
     lambda: V.body("").replace("</ns0:Payload>", V.signature() + "</ns0:Payload>").encode(), "format:rim"),
    ("the signed document inside another",
     lambda: V.but(version="96.00.00.00.00").body(V.encode().decode()).encode(), "format:rim"),
    ("a reference to a part", lambda: V.but(uri="#x").encode(), "format:rim"),
    ("another canonicalization",
     lambda: V.but(algorithms={"c14n": "http://www.w3.org/2001/10/xml-exc-c14n#"}).encode(), "format:rim"),
    ("a transform that chooses",
     lambda: V.but(algorithms={"transform": "http://www.w3.org/TR/1999/REC-xpath-19991116"}).encode(),
     "format:rim"),
    ("a weaker digest", lambda: V.but(algorithms={"digest": f"{maker.DSIG}sha1"}).encode(), "format:rim"),
    ("a secret for a key", lambda: V.but(algorithms={"method": f"{maker.DSIG}hmac-sha1"}).encode(),
     "format:rim"),
    ("a document type", other("<SoftwareIdentity", "<!DOCTYPE x><SoftwareIdentity"), "format:rim"),
    ("entities of entities",
     other("<SoftwareIdentity", '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><SoftwareIdentity'),
     "format:rim"),
    ("a file of the verifier's",
     other("<SoftwareIdentity", '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><SoftwareIdentity'),
     "format:rim"),
    ("a processing instruction", other("<ns0:Payload>", "<?x y?><ns0:Payload>"), "format:rim"),
    ("a prefix of nothing", other("<ns0:Payload>", "<ns0:Payload nsx:a='1'>"), "format:rim"),
    ("an attribute twice by two prefixes",
     other("ns2:Hash0", f'xmlns:n="{maker.HASHES}" n:Hash0="00" ns2:Hash0'), "format:rim"),
    ("deep nesting", lambda: b"<a>" * 50 + b"</a>" * 50, "format:rim"),
    ("many elements", lambda: b"<a>" + b"<b/>" * 3000 + b"</a>", "format:rim"),
    ("megabytes", lambda: bytes(300_000), "limit:rim"),
    ("nothing", lambda: b"", "format:rim"),
    ("no XML", lambda: b"\xff\xfe", "format:rim"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "make", "code"), ATTACKS, ids=[attack for attack, _, _ in ATTACKS])
def test_attack_is_refused(attack: str, make: Callable[[], bytes], code: str) -> None:
    assert refusal(make()) == code


MALFORMED: dict[str, Any] = {
    "an index twice": V.but(resources=(maker.resource(1, bytes(48)),) * 2),
    "an index that no block has": V.but(resources=(maker.resource(254, bytes(48)),)),
    "fewer hashes than alternatives": V.but(resources=(maker.resource(1, bytes(48), alternatives=2),)),
    "more hashes than alternatives": V.but(resources=(maker.resource(1, bytes(48), alternatives=0),)),
    "a hash of another length": V.but(resources=(maker.resource(1, bytes(47)),)),
    "neither in use nor not": V.but(resources=(maker.resource(1, bytes(48), active="maybe"),)),
    "something else in the payload": V.but(resources=("<ns0:File></ns0:File>",)),
    "a version of nothing": V.but(version="one"),
    "another document": V.but(root="Identity"),
    "two payloads": V.but(extra="<ns0:Payload></ns0:Payload>"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_signed_rim_of_another_form_is_refused(name: str) -> None:
    assert refusal(MALFORMED[name].encode()) == "format:rim"


def test_a_rim_is_judged_at_a_time_when_its_signer_was_certified() -> None:
    raw = maker.VBIOS.encode()
    assert refusal(raw, maker.NOW + timedelta(days=800)) == "expired:rim root"
    assert refusal(raw, maker.NOW - timedelta(days=61)).startswith("expired:rim")
    assert verified(raw, maker.NOW + timedelta(days=600)).validity.not_after == maker.NOW + timedelta(
        days=700
    )


def test_no_changed_byte_changes_what_a_rim_says() -> None:
    raw = maker.VBIOS.encode()
    genuine = verified(raw)
    for position in range(0, len(raw), 3):
        forged = bytearray(raw)
        forged[position] ^= 1 << position % 8
        try:
            assert verified(bytes(forged)) == genuine, position
        except AttestationError:
            pass


def test_a_driver_and_a_vbios_make_an_entry_of_the_manifest() -> None:
    form = accepting_rims([verified(maker.DRIVER.encode()), verified(maker.VBIOS.encode())])
    assert form["GPU"] == {
        "Drivers": ["590.12"],
        "VBIOSes": ["96.00.5E.00.01"],
        "Measurements": {
            "2": ["01" * 48],
            "3": ["02" * 48, "03" * 48],
            "9": ["08" * 48],
            "22": ["15" * 48],
        },
    }
    document = {
        "Packages": {"gpu": {"Evidence": [form]}},
        "Marbles": {"m": {"Package": "gpu"}},
        "Config": {"FeatureGates": ["Evidence"]},
    }
    assert parse_manifest(json.dumps(document).encode())


def test_several_versions_are_accepted_beside_each_other() -> None:
    newer = maker.VBIOS.but(version="96.00.5E.00.03", resources=(maker.resource(1, b"\7" * 48),))
    rims = [verified(rim.encode()) for rim in (maker.DRIVER, maker.VBIOS, newer)]
    form: Any = accepting_rims(rims)["GPU"]
    assert form["VBIOSes"] == ["96.00.5E.00.01", "96.00.5E.00.03"]
    assert form["Measurements"]["2"] == ["01" * 48, "07" * 48]


def test_half_a_device_makes_no_entry() -> None:
    with pytest.raises(EndorsementFormatError, match="driver and its VBIOS"):
        accepting_rims([verified(maker.VBIOS.encode())])


def test_two_components_that_claim_one_measurement_are_refused() -> None:
    greedy = maker.DRIVER.but(resources=(maker.resource(1, bytes(48)),))
    with pytest.raises(EndorsementFormatError, match="both say"):
        accepting_rims([verified(greedy.encode()), verified(maker.VBIOS.encode())])


def test_the_command_prints_the_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for name, rim in (("driver", maker.DRIVER), ("vbios", maker.VBIOS)):
        files.append(str(tmp_path / name))
        (tmp_path / name).write_bytes(rim.encode())
    at = ("--at", f"{maker.NOW:%Y-%m-%dT%H:%M:%SZ}")
    assert main(["evidence", "rim", *files, "--root", maker.ROOT_SHA256.hex(), *at]) == 0
    out, _ = capsys.readouterr()
    assert json.loads(out)["GPU"]["Drivers"] == ["590.12"]


def test_the_command_believes_nvidia_and_nobody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rim").write_bytes(maker.VBIOS.encode())
    at = ("--at", f"{maker.NOW:%Y-%m-%dT%H:%M:%SZ}")
    assert main(["evidence", "rim", str(tmp_path / "rim"), *at]) != 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "does not end in an accepted trust root" in err
    assert main(["evidence", "rim", str(tmp_path / "rim"), "--root", "nvidia"]) != 0
