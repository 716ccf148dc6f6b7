"""The two TLS documents, and the access policy."""

import dataclasses
import json
from base64 import b64decode

import pytest

from sealmesh.errors.provisioning import SecretNotGenerated, SecretUnset
from sealmesh.manifest import AccessRule, Incoming, Marble, Outgoing, PortRange, TlsTag
from sealmesh.policy import UNAUTHENTICATED, UNRESTRICTED_MESH, Caller, decide
from sealmesh.provisioning import Secret, compile_access, generate_certificate, own_ttls, ttls_config

WEB = TlsTag(
    incoming=(Incoming(port="8443"), Incoming(port="9443", cert="front", disable_client_auth=True)),
    outgoing=(Outgoing(addr="db.example", port="5432"),),
)
DB = TlsTag(outgoing=(Outgoing(addr="cache", port="6379"), Outgoing(addr="db.example", port="5432")))


@pytest.fixture(scope="module")
def front(authority, keys, now, definitions) -> Secret:
    return generate_certificate(
        definitions["front"], "front", authority=authority, keys=keys, now=now, serial=3
    )


def der(pem: str) -> bytes:
    assert pem.endswith("-----\n")
    return b64decode("".join(pem.splitlines()[1:-1]))


def test_ttls_document_has_the_shape_of_the_contract(make_manifest, special, front):
    manifest = make_manifest(tls={"web": WEB, "db": DB})
    document = json.loads(ttls_config(manifest, "baker", special=special, secrets={"front": front}) or b"")
    assert document.keys() == {"tls"}
    incoming, outgoing = document["tls"]["Incoming"], document["tls"]["Outgoing"]
    assert incoming.keys() == {"*:8443", "*:9443"}
    assert outgoing.keys() == {"cache:6379", "db.example:5432"}
    assert incoming["*:8443"].keys() == {"cacrt", "clicrt", "clikey", "clientAuth"}
    assert outgoing["cache:6379"].keys() == {"cacrt", "clicrt", "clikey"}
    assert (incoming["*:8443"]["clientAuth"], incoming["*:9443"]["clientAuth"]) == (True, False)


def test_ttls_document_carries_the_own_certificate_or_the_secrets(make_manifest, special, front):
    manifest = make_manifest(tls={"web": WEB})
    tls = json.loads(ttls_config(manifest, "baker", special=special, secrets={"front": front}) or b"")["tls"]
    own = [tls["Incoming"]["*:8443"], tls["Outgoing"]["db.example:5432"]]
    for entry in (*own, tls["Incoming"]["*:9443"]):
        assert der(entry["cacrt"]) == special.root_ca
    for entry in own:
        assert (der(entry["clicrt"]), der(entry["clikey"])) == (special.marble_cert, special.marble_private)
    served = tls["Incoming"]["*:9443"]
    assert (der(served["clicrt"]), der(served["clikey"])) == (front.cert, front.private)


def test_type_without_tags_has_no_document(make_manifest, special):
    assert ttls_config(make_manifest(), "baker", special=special, secrets={}) is None
    assert own_ttls(make_manifest(), "baker", secrets={}) is None


def test_empty_tag_gives_both_keys(make_manifest, special):
    manifest = make_manifest(tls={"nothing": TlsTag()})
    document = json.loads(ttls_config(manifest, "baker", special=special, secrets={}) or b"")
    assert document == {"tls": {"Incoming": {}, "Outgoing": {}}}
    assert json.loads(own_ttls(manifest, "baker", secrets={}) or b"") == {"incoming": [], "outgoing": []}


def test_own_document_lists_ports_and_addresses_without_the_marbles_key(make_manifest, special, front):
    manifest = make_manifest(tls={"web": WEB, "db": DB})
    raw = own_ttls(manifest, "baker", secrets={"front": front}) or b""
    document = json.loads(raw)
    assert document["outgoing"] == [{"host": "db.example", "port": 5432}, {"host": "cache", "port": 6379}]
    plain, served = document["incoming"]
    assert plain == {"port": 8443, "client_auth": True, "certificate": None, "key": None}
    assert (served["port"], served["client_auth"]) == (9443, False)
    assert (der(served["certificate"]), der(served["key"])) == (front.cert, front.private)
    assert raw.count(b"BEGIN PRIVATE KEY") == 1


@pytest.mark.parametrize("kept", [{}, {"shop": None}])
def test_certificate_that_nobody_uploaded_is_refused(make_manifest, special, definitions, kept):
    tag = TlsTag(incoming=(Incoming(port="1", cert="shop", disable_client_auth=True),))
    manifest = make_manifest(tls={"t": tag})
    secrets = {name: Secret.unset(definitions[name]) for name in kept}
    for call in (
        lambda: own_ttls(manifest, "baker", secrets=secrets),
        lambda: ttls_config(manifest, "baker", special=special, secrets=secrets),
    ):
        with pytest.raises(SecretUnset, match="`shop`"):
            call()


@pytest.mark.parametrize("port", ["", "0", "65536", "http", "1e3", "٣"])
def test_port_that_is_no_number_is_refused(make_manifest, port):
    manifest = make_manifest(tls={"t": TlsTag(incoming=(Incoming(port=port),))})
    with pytest.raises(SecretNotGenerated):
        own_ttls(manifest, "baker", secrets={})


def test_manifest_without_access_rules_lets_the_mesh_in(make_manifest):
    assert compile_access(make_manifest()) == UNRESTRICTED_MESH


def test_port_without_client_authentication_is_open_to_everybody_where_there_are_no_rules(make_manifest):
    policy = compile_access(make_manifest(tls={"web": WEB}))
    assert decide(policy, caller=UNAUTHENTICATED, callee_type="baker", port=9443).allowed
    assert not decide(policy, caller=UNAUTHENTICATED, callee_type="baker", port=8443).allowed
    assert decide(policy, caller=Caller("other"), callee_type="baker", port=8443).allowed


def test_rules_of_the_manifest_are_the_policy_and_nothing_else(make_manifest):
    rule = AccessRule(from_=("shop",), to="baker", ports=(PortRange(first=8000, last=8010),))
    manifest = dataclasses.replace(
        make_manifest(tls={"web": WEB}), access=(rule,), marbles={"baker": Marble(package="p", tls=("web",))}
    )
    policy = compile_access(manifest)
    assert decide(policy, caller=Caller("shop"), callee_type="baker", port=8010).allowed
    assert not decide(policy, caller=Caller("shop"), callee_type="baker", port=8011).allowed
    assert not decide(policy, caller=Caller("other"), callee_type="baker", port=8000).allowed
    assert not decide(policy, caller=UNAUTHENTICATED, callee_type="baker", port=9443).allowed
    refusing = compile_access(dataclasses.replace(manifest, access=()))
    assert not decide(refusing, caller=Caller("shop"), callee_type="baker", port=8000).allowed
