"""A whole Coordinator process over real sockets: start, serve, restart, and what stops it from starting."""

import json

import coordinator_process as world
import pytest
from cryptography import x509

coordinator, manifest = world.coordinator, world.manifest
STATE, CONFIGURATION = 3, 2


@pytest.fixture
def process(tmp_path):
    with coordinator(tmp_path) as running:
        yield running


def leaf_of(reply) -> x509.Certificate:
    return x509.load_pem_x509_certificate(reply.Parameters.Env["MARBLE_PREDEFINED_MARBLE_CERTIFICATE_CHAIN"])


def test_a_manifest_a_marble_and_a_restart(process):
    secrets = {
        "key": {"Type": "symmetric-key", "Size": 128},
        "shared": {"Type": "cert-ed25519", "Shared": True},
    }
    env = {"KEY": "{{ hex .Secrets.key }}", "CERT": "{{ pem .Secrets.shared.Cert }}"}
    document = manifest(baker={"Parameters": {"Env": env}}) | {"Secrets": secrets}
    process.start()
    assert process.state() == 2
    assert not process.seal.exists(), "nothing is written before a manifest"
    chain = process.get("/api/v2/quote")["data"]["cert"]
    assert process.set_manifest(document)[0] == 200
    first = process.activate("baker")
    process.kill()
    process.start()
    assert process.state() == 3
    assert process.get("/api/v2/quote")["data"]["cert"] == chain
    again = process.activate("baker")
    for name in ("KEY", "CERT"):
        assert again.Parameters.Env[name] == first.Parameters.Env[name]
    assert leaf_of(again) != leaf_of(first)


def test_a_second_manifest_is_refused_and_the_first_stays(process):
    process.start()
    process.set_manifest(manifest())
    before = process.get("/api/v2/manifest")
    assert process.set_manifest(manifest(other={}))[0] == 500
    assert process.get("/api/v2/manifest") == before


def test_sigterm_ends_it_with_code_zero(process):
    process.start().process.terminate()
    assert process.process.wait(15) == 0


def test_a_missing_sealed_key_leads_to_recovery_and_no_new_manifest_without_the_operator(tmp_path):
    with coordinator(tmp_path, SEALMESH_COMPAT="insecure-empty-quotes") as process:
        process.start().set_manifest(manifest())
        process.kill()
        (process.seal / "sealed_key").unlink()
        kept = (process.seal / "sealed_data").read_bytes()
        process.start()
        assert process.state() == 1
        status, answer = process.set_manifest(manifest())
        assert status == 500
        assert "reset-state" in answer["message"]
        with pytest.raises(world.GrpcRefused) as refused:
            process.activate("baker")
        assert refused.value.status == "FAILED_PRECONDITION"
        assert process.state() == 1
        assert (process.seal / "sealed_data").read_bytes() == kept


def test_the_operator_s_word_lets_a_new_manifest_replace_a_lost_state(tmp_path):
    relaxed = {"SEALMESH_COMPAT": "insecure-empty-quotes"}
    with coordinator(tmp_path, **relaxed) as process:
        process.start().set_manifest(manifest())
        process.kill()
        (process.seal / "sealed_key").unlink()
        process.environment["SEALMESH_RESET_STATE"] = "1"
        process.start()
        assert process.set_manifest(manifest(other={}))[0] == 200
        assert process.state() == 3


def test_garbage_in_sealed_data_ends_the_process(process):
    process.seal.mkdir()
    (process.seal / "sealed_data").write_bytes(b"garbage")
    assert process.exit_code() == STATE
    assert (process.seal / "sealed_data").read_bytes() == b"garbage"
    assert "sealed-data-broken" in process.log


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"hello", "startup-manifest"), (b"{}", "startup-manifest"), (None, "startup-manifest")],
    ids=["not JSON", "invalid", "missing"],
)
def test_a_bad_startup_manifest_ends_the_process_and_writes_nothing(process, tmp_path, content, code):
    path = tmp_path / "startup.json"
    if content is not None:
        path.write_bytes(content)
    process.environment["EDG_STARTUP_MANIFEST"] = str(path)
    assert process.exit_code() == CONFIGURATION
    assert code in process.log
    assert not process.seal.exists()


def test_a_startup_manifest_is_set_once_and_refused_on_a_state(process, tmp_path):
    path = tmp_path / "startup.json"
    path.write_text(json.dumps(manifest()))
    process.environment["EDG_STARTUP_MANIFEST"] = str(path)
    process.start()
    assert process.state() == 3
    process.kill()
    assert process.exit_code() == CONFIGURATION


def test_without_attester_it_does_not_start_and_says_what_to_do(tmp_path):
    with coordinator(tmp_path, SEALMESH_COMPAT="", SEALMESH_ATTESTER="none") as process:
        assert process.exit_code() == CONFIGURATION
        assert "SEALMESH_ATTESTER" in process.log
        assert "insecure-empty-quotes" in process.log


@pytest.mark.parametrize(("variables", "warned"), [({}, True), ({"OE_SIMULATION": "1"}, False)])
def test_with_nothing_but_edg_variables_it_starts_on_the_simulated_platform(tmp_path, variables, warned):
    with coordinator(tmp_path, **variables) as process:
        del process.environment["SEALMESH_COMPAT"]
        process.start()
        status = process.get("/api/sealmesh/v1/status")["data"]
        assert status["simulation"] is True
        assert status["relaxations"] == []
        assert process.get("/api/v2/quote")["data"]["quote"]
        assert process.set_manifest(manifest())[0] == 200
        assert ("nobody named an attester" in process.log) is warned


def test_relaxations_show_in_status_and_log(process):
    process.start()
    assert "insecure-empty-quotes" in process.get("/api/sealmesh/v1/status")["data"]["relaxations"]
    warned = [json.loads(line).get("relaxation") for line in process.log.splitlines() if "in force" in line]
    assert "insecure-empty-quotes" in warned


def test_an_address_in_use_is_an_error_and_not_a_second_server(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with coordinator(tmp_path / "a") as first, coordinator(tmp_path / "b") as second:
        first.start()
        second.environment["EDG_COORDINATOR_CLIENT_ADDR"] = f"127.0.0.1:{first.client}"
        assert second.exit_code() == CONFIGURATION


def test_empty_quotes_are_refused_without_the_relaxation(tmp_path):
    with coordinator(tmp_path, SEALMESH_COMPAT="", SEALMESH_ATTESTER="simulated") as process:
        process.start().set_manifest(manifest())
        with pytest.raises(world.GrpcRefused) as refused:
            process.activate("baker")
        assert refused.value.status == "PERMISSION_DENIED"
        assert process.state() == 3


def test_everything_is_stamped_as_simulation_with_empty_quotes(process):
    process.start().set_manifest(manifest())
    text = leaf_of(process.activate("baker")).extensions
    assert any(b"simulated TEE" in getattr(item.value, "value", b"") for item in text)
