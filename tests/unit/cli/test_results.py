"""`sealmesh results verify` and `sealmesh evidence verify --ear`: signed, verified offline, said in words."""

import importlib.util
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from sealmesh.adapters.clock import system_entropy
from sealmesh.adapters.keys import OsKeyFactory
from sealmesh.attestation.results import (
    Aspect,
    Form,
    Signer,
    Submodule,
    Tier,
    issue_ear,
    parse_token,
    sign_ear,
    status_of,
    verify_token,
)
from sealmesh.cli import main
from sealmesh.pki import issue_authority


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


evidence = _load("genuine")
NOW = evidence.NOW
AT = ("--at", "2031-03-01T12:00:00Z")
KEY = ec.generate_private_key(ec.SECP384R1())
MESH = issue_authority(
    OsKeyFactory(),
    dns_names=("localhost",),
    now=NOW,
    lifetime=timedelta(days=9),
    entropy=system_entropy,
    simulation=False,
)
VECTORS = {
    Tier.AFFIRMING: {Aspect.HARDWARE: 2},
    Tier.WARNING: {Aspect.HARDWARE: 32},
    Tier.CONTRAINDICATED: {Aspect.EXECUTABLES: 96, Aspect.HARDWARE: 2},
}


def pem(certificate: Any) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


def public_pem(key: Any) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: Any) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Desk:
    """A folder, and the command line in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "chain.pem").write_bytes(pem(MESH.intermediate_cert) + pem(MESH.root_cert))
        (folder / "key.pem").write_bytes(private_pem(KEY))
        (folder / "public.pem").write_bytes(public_pem(KEY))

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def token(self, tier: Tier = Tier.AFFIRMING, form: Form = Form.JWT, **facts: Any) -> str:
        vector = VECTORS[tier]
        submodule = Submodule(status=status_of(vector), vector=vector, policies=("p",), verifier_claims=facts)
        ear = issue_ear({"sgx": submodule}, now=NOW, nonce=b"relying!")
        chain = tuple(item.public_bytes(Encoding.DER) for item in (MESH.intermediate_cert, MESH.root_cert))
        token = sign_ear(ear, form, Signer(key=MESH.intermediate_key, chain=chain))
        (self.folder / "token").write_bytes(token)
        return self.path("token")

    def run(self, *words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out, err = self._capsys.readouterr()
        return code, out, err

    def verify(self, *words: str) -> tuple[int, str, str]:
        return self.run(
            "results", "verify", self.path("token"), "--root", self.path("chain.pem"), *AT, *words
        )

    def judge(self, family: str, *words: str, roots: Any = None) -> tuple[int, str, str]:
        genuine = evidence.genuine(family)
        (self.folder / "evidence.bin").write_bytes(genuine.raw)
        given = [
            word
            for root in (genuine.roots if roots is None else roots)
            for word in ("--root", f"{root.family}:lab={root.sha256.hex()}")
        ]
        at = () if "--at" in words else AT
        return self.run("evidence", "verify", self.path("evidence.bin"), *given, *at, *words)

    def ear(self, name: str = "ear", key: Any = KEY) -> Any:
        raw = (self.folder / name).read_bytes()
        return verify_token(parse_token(raw), key.public_key(), now=NOW)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


# -- results verify --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", Form)
def test_good_result_is_explained_in_words(desk: Desk, form: Form) -> None:
    desk.token(form=form, trust_root="intel", simulated=False, advisories=("A", "B"))
    code, out, err = desk.verify()
    assert (code, err) == (0, "")
    assert (
        f"Attestation Result ({form.value.upper()}), signed by the Coordinator of {MESH.trust_domain}" in out
    )
    for words in ("genuine and supported (2)", "status", "affirming", "A; B", b"relying!".hex()):
        assert words in out
    assert "SIMULATED" not in out


def test_simulated_result_says_so(desk: Desk) -> None:
    desk.token(Tier.CONTRAINDICATED, simulated=True)
    code, out, _ = desk.verify("--accept", "contraindicated")
    assert code == 0
    assert "SIMULATED: no hardware protects this" in out


def test_document_for_programs_has_everything(desk: Desk) -> None:
    desk.token(Tier.WARNING, trust_root="intel")
    code, out, _ = desk.verify("--json", "--accept", "warning")
    document = json.loads(out)
    assert code == 0
    assert document == {
        "accepted": True,
        "form": "jwt",
        "signer": MESH.trust_domain,
        "status": "warning",
        "issued": "2031-03-01T12:00:00Z",
        "expires": "2031-03-01T13:00:00Z",
        "verifier": document["verifier"],
        "nonce": b"relying!".hex(),
        "submodules": {
            "sgx": {
                "status": "warning",
                "vector": {"hardware": 32},
                "policies": ["p"],
                "attesterClaims": {},
                "verifierClaims": {"trust_root": "intel"},
            }
        },
    }


@pytest.mark.parametrize("tier", [Tier.WARNING, Tier.CONTRAINDICATED])
def test_status_that_is_not_accepted_is_explained_and_fails(desk: Desk, tier: Tier) -> None:
    desk.token(tier)
    code, out, err = desk.verify()
    assert code == 1
    assert "Attestation Result" in out
    assert "result-status" in err
    code, out, err = desk.verify("--json")
    assert (code, json.loads(out)["accepted"]) == (1, False)
    assert desk.verify("--accept", "contraindicated")[0] == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--at", "2031-03-01T13:00:00Z"), "result-expired"),
        (("--at", "2031-03-01T11:58:00Z"), "result-early"),
        (("--ear-nonce", "00" * 8), "result-nonce"),
        (("--ear-nonce", "zz"), "usage"),
        (("--accept", "great"), "usage"),
        (("--key", "x"), "usage"),
    ],
)
def test_result_that_does_not_hold_prints_nothing_and_fails(
    desk: Desk, words: tuple[str, ...], code: str
) -> None:
    desk.token()
    exit_code, out, err = desk.verify(*words)
    assert (exit_code, out) == (1, "")
    assert f"error [{code}]" in err


def test_nonce_that_was_sent_is_accepted(desk: Desk) -> None:
    desk.token()
    assert desk.verify("--ear-nonce", b"relying!".hex())[0] == 0


def test_result_of_somebody_else_is_refused(desk: Desk) -> None:
    other = issue_authority(
        OsKeyFactory(),
        dns_names=("localhost",),
        now=NOW,
        lifetime=timedelta(days=9),
        entropy=system_entropy,
        simulation=False,
    )
    desk.token()
    (desk.folder / "chain.pem").write_bytes(pem(other.root_cert))
    code, out, err = desk.verify()
    assert (code, out) == (1, "")
    assert "result-chain" in err


def test_root_or_key_is_needed(desk: Desk) -> None:
    desk.token()
    code, _, err = desk.run("results", "verify", desk.path("token"))
    assert code == 1
    assert "whose result" in err


def test_bytes_of_somebody_else_cannot_steer_the_terminal(desk: Desk) -> None:
    desk.token(evil="\x1b[2J")
    _, out, _ = desk.verify()
    assert "\x1b" not in out


# -- evidence verify --ear -------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["snp", "nitro", "tpm", "gpu", "composite"])
@pytest.mark.parametrize("form", Form)
def test_verdict_is_written_as_a_result_that_verifies(desk: Desk, family: str, form: Form) -> None:
    code, out, _ = desk.judge(
        family, "--ear", form.value, "--ear-output", desk.path("ear"), "--key", desk.path("key.pem")
    )
    assert code == 0
    assert "genuine" in out
    ear = desk.ear()
    assert ear.expires <= evidence.genuine(family).verify().expires
    assert {item.vector[Aspect.EXECUTABLES] for item in ear.submodules.values()} == {33}  # nobody compared it
    code, out, _ = desk.run("results", "verify", desk.path("ear"), "--key", desk.path("public.pem"), *AT)
    assert code == 1
    assert "signed by the given key" in out
    assert "not compared with anything" in out


def test_result_can_be_signed_by_a_key_made_for_it_which_says_so(desk: Desk) -> None:
    code, _, err = desk.judge("gpu", "--ear", "jwt", "--ear-output", desk.path("ear"))
    assert code == 0
    assert "proves nothing to others" in err
    public = desk.path("ear.pub.pem")
    code, out, _ = desk.run(
        "results", "verify", desk.path("ear"), "--key", public, *AT, "--accept", "contraindicated"
    )
    assert code == 0
    assert "gpu: warning" in out


def manifest_for(desk: Desk, family: str, **changes: Any) -> str:
    """Write a manifest whose package `p` accepts the family's genuine Evidence, but for `changes`."""
    (desk.folder / "evidence.bin").write_bytes(evidence.genuine(family).raw)
    _, out, _ = desk.run("evidence", "explain", desk.path("evidence.bin"), "--json")
    form = json.loads(out)
    form = form if not changes else {name: values | changes for name, values in form.items()}
    document = {
        "Packages": {"p": {"Evidence": [form]}},
        "Marbles": {"m": {"Package": "p"}},
        "Config": {"FeatureGates": ["Evidence"]},
    }
    (desk.folder / "manifest.json").write_text(json.dumps(document))
    return desk.path("manifest.json")


@pytest.mark.parametrize("family", ["snp", "nitro", "tpm", "gpu", "composite"])
def test_evidence_that_a_package_accepts_is_judged_by_it(desk: Desk, family: str) -> None:
    manifest = manifest_for(desk, family)
    words = ("--manifest", manifest, "--package", "p")
    result = ("--ear", "cwt", "--ear-output", desk.path("ear"), "--key", desk.path("key.pem"))
    code, out, _ = desk.judge(family, *words, *result)
    assert code == 0
    assert "accepted as" in out
    _, fingerprint, _ = desk.run("manifest", "signature", manifest)
    for submodule in desk.ear().submodules.values():
        assert submodule.vector[Aspect.EXECUTABLES] == 3
        assert submodule.policies == (f"sealmesh-manifest:sha256:{fingerprint.strip()}",)


def test_evidence_that_a_package_refuses_gives_a_contraindicated_result_and_fails(desk: Desk) -> None:
    manifest = manifest_for(desk, "snp", Measurement="07" * 48)
    code, out, err = desk.judge(
        *("snp", "--manifest", manifest, "--package", "p", "--ear", "jwt"),
        *("--ear-output", desk.path("ear"), "--key", desk.path("key.pem")),
    )
    assert (code, "genuine" in out) == (1, False)
    assert "error [appraisal]" in err
    (submodule,) = desk.ear().submodules.values()
    assert (submodule.status, submodule.vector[Aspect.EXECUTABLES]) == (Tier.CONTRAINDICATED, 96)
    assert "Measurement: found" in submodule.verifier_claims["mismatches"][0]


def test_evidence_that_is_not_genuine_gives_a_contraindicated_result_and_fails(desk: Desk) -> None:
    stranger = evidence.genuine("nitro").roots[0]
    wrong = [type(stranger)(name="x", family=stranger.family, sha256=bytes(32))]
    words = ("--ear", "jwt", "--ear-output", desk.path("ear"), "--key", desk.path("key.pem"))
    code, _, err = desk.judge("nitro", *words, roots=wrong)
    assert code == 1
    assert "Attestation Result" not in err
    (submodule,) = desk.ear().submodules.values()
    assert set(submodule.vector.values()) == {99}
    assert submodule.verifier_claims["refusal_code"] in err


def test_result_ends_with_the_collateral(desk: Desk) -> None:
    verified = evidence.genuine("snp").verify()
    late = (verified.expires - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = ("--ear", "jwt", "--ear-output", desk.path("ear"), "--key", desk.path("key.pem"), "--at", late)
    code, _, err = desk.judge("snp", *words)
    assert code == 0, err
    raw = parse_token((desk.folder / "ear").read_bytes())
    moment = datetime.strptime(late, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    ear = verify_token(raw, KEY.public_key(), now=moment)
    assert ear.expires == verified.expires.replace(microsecond=0)


@pytest.mark.parametrize(
    "words",
    [
        ("--ear", "jwt"),
        ("--ear", "xml", "--ear-output", "x"),
        ("--ear-output", "x"),
        ("--key", "x"),
        ("--ear-nonce", "00" * 8),
        ("--manifest", "x"),
        ("--package", "p"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_read(
    desk: Desk, words: tuple[str, ...]
) -> None:
    code, out, err = desk.judge("gpu", *words)
    assert (code, out) == (1, "")
    assert "error [usage]" in err
    assert not (desk.folder / "ear").exists()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (private_pem(ec.generate_private_key(ec.SECP256R1())), "result-key"),
        (public_pem(KEY), "usage"),
        (b"no key", "usage"),
    ],
)
def test_key_that_signs_no_results_is_refused(desk: Desk, key: bytes, code: str) -> None:
    (desk.folder / "key.pem").write_bytes(key)
    words = ("--ear", "jwt", "--ear-output", desk.path("ear"), "--key", desk.path("key.pem"))
    exit_code, _, err = desk.judge("gpu", *words)
    assert exit_code == 1
    assert f"error [{code}]" in err
    assert not (desk.folder / "ear").exists()


def test_package_that_the_manifest_does_not_have_is_refused(desk: Desk) -> None:
    code, _, err = desk.judge("gpu", "--manifest", manifest_for(desk, "gpu"), "--package", "q")
    assert code == 1
    assert "no such package" in err
