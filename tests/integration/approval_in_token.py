"""Run by test_governance: makes a token with a key, approves with it, and verifies that."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

from sealmesh.cli import main
from sealmesh.client.approval import ManifestEpoch, Mesh, parse_approval, read_approval_key
from sealmesh.coordinator.approvals.verification import Setting, verify_approval
from sealmesh.manifest import ApprovalRule, Approver, Governance, GovernedAct

LIBRARY, KIND = sys.argv[1:]
URI = f"pkcs11:token=ops;object=alice?module-path={LIBRARY}"


def said(*words: str) -> tuple[int, str]:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = main([*words, "--json"])
    return code, out.getvalue()


init = ["softhsm2-util", "--init-token", "--free", "--label", "ops", "--so-pin", "1234", "--pin", "5678"]
subprocess.run(init, check=True, capture_output=True)
algorithm, _, parameter = KIND.partition(":")
with pkcs11.lib(LIBRARY).get_token(token_label="ops").open(user_pin="5678", rw=True) as session:
    hidden = {Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True}
    if algorithm == "rsa":
        session.generate_keypair(
            KeyType.RSA, int(parameter), store=True, label="alice", private_template=hidden
        )
    else:
        curve = {
            Attribute.EC_PARAMS: encode_named_curve_parameters(
                parameter.replace("prime", "secp").replace("v1", "r1")
            )
        }
        session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
            store=True, label="alice", mechanism=Mechanism.EC_KEY_PAIR_GEN, private_template=hidden
        )

# Who reads mesh.json sees alice with the key that is in the token now.
key = read_approval_key(URI)
document = json.loads(Path("mesh.json").read_bytes())
document["keys"]["alice"] = [sha256(key.public).hexdigest()]
Path("mesh.json").write_text(json.dumps(document))

MAKE = ("approve", "make", "--act", "update-manifest", "--file", "manifest.json", "--mesh", "mesh.json")
code, _ = said(*MAKE, "--key", URI, "--reason", "from the token", "-o", "alice.approval")
print("exit code", code)

signed = parse_approval(Path("alice.approval").read_bytes())
rule = ApprovalRule(threshold=1, approvers=("alice",))
setting = Setting(
    mesh=Mesh(trust_domain=document["trustDomain"], root=document["root"]),
    manifest=ManifestEpoch(fingerprint=document["manifest"], number=document["epoch"]),
    governance=Governance(
        approvers={"alice": Approver(keys=(key.public,))}, rules={GovernedAct.UPDATE_MANIFEST: rule}
    ),
    now=datetime.now(UTC),
)
assert verify_approval(signed, setting).reason == "from the token"
forged = replace(signed, approval=replace(signed.approval, reason="something else"))
try:
    verify_approval(forged, setting)
except Exception:
    print("the approval verifies")

os.environ["SEALMESH_PKCS11_PIN"] = "0000"
print("a wrong PIN:", json.loads(said(*MAKE, "--key", URI, "--reason", "x")[1])["error"]["code"])
os.environ["SEALMESH_PKCS11_PIN"] = "5678"
other = URI.replace("alice", "nobody")
print("no such key:", json.loads(said(*MAKE, "--key", other, "--reason", "x")[1])["error"]["code"])
