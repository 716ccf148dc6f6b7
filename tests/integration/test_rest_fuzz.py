"""The client port, fuzzed from its OpenAPI description by schemathesis, in every phase of a real Coordinator.

Each answer must be one that the description allows: its status, its media type, its body. MarbleRun answers
500 where its rules refuse something, and so do we (COMPAT section 3); so what must never come is an answer
that says `internal error`, and nothing may be logged as a `fault`. At the end the Coordinator is alive and in
the state in which it was.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import coordinator_process as world
import pytest
import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sealmesh.wire.openapi import openapi_document

pytestmark = pytest.mark.timeout(600)
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
QUICK = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    database=None,
)
SCHEMA = schemathesis.openapi.from_dict(openapi_document())
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
PHASES = ("no manifest", "running, a stranger", "running, a user", "running, a Marble", "recovery")
"""What the Coordinator is in, and who asks."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


class Target:
    """One phase: a Coordinator, a session to it, the manifest it has (or might have), the state it keeps."""

    def __init__(self, process, manifest: dict, identity: Path | None, certificate: Path) -> None:
        self.process = process
        self.manifest = manifest
        self.url = f"https://127.0.0.1:{process.client}"
        self.session = requests.Session()
        self.session.verify = self.root = str(certificate)
        self.session.cert = None if identity is None else str(identity)
        self.session.trust_env = False
        self.state = process.state()

    def send(self, case) -> requests.Response:
        response = case.call(base_url=self.url, session=self.session, verify=self.root, timeout=60)
        case.validate_response(response, checks=CHECKS)
        assert b"internal error" not in response.content
        return response

    def check_unharmed(self) -> None:
        assert self.process.process.poll() is None
        assert self.process.state() == self.state
        events = [json.loads(line)["event"] for line in self.process.log.splitlines() if line.startswith("{")]
        assert [line for line in self.process.log.splitlines() if "Traceback" in line] == []
        assert "fault" not in events


def full_manifest(user: Path) -> dict:
    """A manifest with something of everything; its only user may do everything."""
    key = rsa.generate_private_key(65537, 2048).public_key()
    owner = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    certificate = user.read_text().partition("-----BEGIN PRIVATE KEY")[0]
    other = world.marble_identity.__wrapped__()[0].read_text()  # somebody else's
    return world.manifest(baker={"MaxActivations": 5}, free={}) | {
        "Secrets": {
            "word": {"Type": "plain", "UserDefined": True},
            "pin": {"Type": "symmetric-key", "Size": 64, "UserDefined": True},
            "web": {"Type": "cert-ecdsa", "Size": 256, "Shared": True},
            "own": {"Type": "cert-rsa", "UserDefined": True},
        },
        "Users": {
            "admin": {"Certificate": certificate, "Roles": ["all", "sees", "sets", "raises"]},
            "other": {"Certificate": other, "Roles": ["all"]},
        },
        "Roles": {
            "all": {"ResourceType": "Manifest", "Actions": ["UpdateManifest"]},
            "sees": {
                "ResourceType": "Secrets",
                "ResourceNames": ["word", "pin", "web", "own"],
                "Actions": ["ReadSecret"],
            },
            "sets": {
                "ResourceType": "Secrets",
                "ResourceNames": ["word", "pin", "own"],
                "Actions": ["WriteSecret"],
            },
            "raises": {
                "ResourceType": "Packages",
                "ResourceNames": ["oven"],
                "Actions": ["UpdateSecurityVersion"],
            },
        },
        "RecoveryKeys": {"owner": owner},
        "Config": {"FeatureGates": ["SignQuoteEndpoint", "MonotonicCounter"]},
    }


@pytest.fixture(scope="module", params=PHASES)
def target(request, tmp_path_factory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("fuzz")
    user = world.marble_identity()[0]
    with world.coordinator(directory, SEALMESH_LOG_LEVEL="info") as process:
        process.start()
        identity, manifest = None, full_manifest(user)
        if request.param != "no manifest":
            status, answer = process.set_manifest(manifest)
            assert status == 200, answer
        if request.param == "running, a user":
            identity = user
        if request.param == "running, a Marble":
            env = process.activate("free").Parameters.Env
            identity = directory / "marble.pem"
            identity.write_bytes(
                env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"] + env["MARBLE_PREDEFINED_PRIVATE_KEY"]
            )
        if request.param == "recovery":
            process.kill()
            (process.seal / "sealed_key").unlink()
            process.start()
        root = directory / "root.pem"
        chain = process.get("/api/v2/quote")["data"]["cert"]
        root.write_text(chain[chain.rindex("-----BEGIN") :])
        target = Target(process, manifest, identity, root)
        yield target
        target.session.close()
        target.check_unharmed()


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_as_described(target: Target, label: str) -> None:
    fuzz(target, label, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("label", OPERATIONS)
def test_very_many_answers_are_as_described(target: Target, label: str) -> None:
    fuzz(target, label, settings(QUICK, max_examples=200))


def fuzz(target: Target, label: str, profile: settings) -> None:
    @profile
    @given(cases(OPERATIONS[label]))
    def run(case) -> None:
        target.send(case)

    run()


def cases(operation) -> st.SearchStrategy:
    """Requests that the description allows, and such that it does not where it leaves a choice."""
    allowed = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not (operation.body or operation.query):
        return allowed
    return allowed | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)


def mutated(document: object, data: st.DataObject) -> object:
    """The document with something else at one place."""
    if isinstance(document, dict) and document and data.draw(st.integers(0, 4)):
        name = data.draw(st.sampled_from(sorted(document)))
        return document | {name: mutated(document[name], data)}
    if isinstance(document, list) and document and data.draw(st.integers(0, 4)):
        return [mutated(document[0], data), *document[1:]]
    return data.draw(JSON | st.just({}) | st.just(10**30))


@pytest.mark.parametrize("path", ["/update", "/update-manifest", "/api/v2/update", "/api/v2/update-manifest"])
def test_manifests_with_a_fault_are_refused_as_described(target: Target, path: str) -> None:
    @QUICK
    @given(st.data())
    def run(data: st.DataObject) -> None:
        raw = json.dumps(mutated(target.manifest, data)).encode()
        body = raw if not path.startswith("/api") else {"manifest": base64.b64encode(raw).decode()}
        case = OPERATIONS[f"POST {path}"].Case(body=body, media_type="application/json")
        target.send(case)

    run()


@pytest.mark.parametrize("prefix", ["", "/api/v2"])
def test_values_of_secrets_of_any_form_are_answered_as_described(target: Target, prefix: str) -> None:
    fields = st.fixed_dictionaries(
        {},
        optional={
            name: st.binary(max_size=40).map(lambda value: base64.b64encode(value).decode()) | JSON
            for name in ("Cert", "Private", "Key")
        },
    )
    names = st.sampled_from(["word", "pin", "web", "own", "none"])
    uploads = st.dictionaries(names, fields | JSON, min_size=1, max_size=3)

    @QUICK
    @given(uploads)
    def run(sent: dict) -> None:
        body = sent if not prefix else {"secrets": sent}
        case = OPERATIONS[f"POST {prefix}/secrets"].Case(body=body, media_type="application/json")
        target.send(case)
        target.send(OPERATIONS[f"GET {prefix}/secrets"].Case(query={"s": list(sent)}))

    run()


@QUICK
@given(st.binary(max_size=300))
def run_bodies(target: Target, raw: bytes) -> None:
    for label, operation in OPERATIONS.items():
        if operation.method.upper() == "POST":
            path = label.removeprefix("POST ")
            response = target.session.post(target.url + path, data=raw, timeout=60, allow_redirects=False)
            assert b"internal error" not in response.content, label
            assert str(response.status_code) in operation.definition.raw["responses"], label


def test_bodies_that_are_no_json_are_answered_as_described(target: Target) -> None:
    run_bodies(target)
