"""What the operator named is what seals the state."""

import pytest

from sealmesh.adapters.store.mooring import Moored, Unmoored
from sealmesh.errors.store import SealerError
from sealmesh.server.configuration import read_configuration
from sealmesh.server.evidence import build_evidence
from sealmesh.server.sealing import build_mooring, build_sealer

KEY = b"k" * 32


def configured(tmp_path, **variables):
    base = {"SEALMESH_COMPAT": "insecure-empty-quotes", "SEALMESH_SEAL_DIR": str(tmp_path / "seal")}
    return read_configuration({}, base | variables)


def sealer(tmp_path, **variables):
    configuration = configured(tmp_path, **variables)
    return build_sealer(configuration, build_evidence(configuration))


def gramine(tmp_path):
    for name in ("_sgx_mrenclave", "_sgx_mrsigner"):
        (tmp_path / name).write_bytes(name.encode()[:16].ljust(16))
    return f"gramine:{tmp_path}"


def test_without_a_word_and_a_tee_the_key_is_one_that_everybody_knows_and_that_is_said(tmp_path):
    found = sealer(tmp_path)
    assert found.unseal(found.seal([KEY])).keys == (KEY,)
    assert found.describe() == "a key that everybody knows: there is no TEE"


def test_the_simulated_platform_seals_where_it_makes_the_evidence(tmp_path):
    found = sealer(tmp_path, SEALMESH_ATTESTER=f"simulated:{tmp_path}/machine")
    content = found.seal([KEY])
    assert "simulated" in found.describe()
    assert sealer(tmp_path, SEALMESH_ATTESTER=f"simulated:{tmp_path}/machine").unseal(content).current
    with pytest.raises(SealerError):
        sealer(tmp_path, SEALMESH_ATTESTER=f"simulated:{tmp_path}/other").unseal(content)
    with pytest.raises(SealerError):
        sealer(tmp_path).unseal(content)


def test_the_first_of_several_seals_and_all_open(tmp_path):
    old = sealer(tmp_path).seal([KEY])
    both = sealer(tmp_path, SEALMESH_SEALER=f"{gramine(tmp_path)} platform")
    assert not both.unseal(old).current
    assert sealer(tmp_path, SEALMESH_SEALER=gramine(tmp_path)).unseal(both.seal([KEY])).current


def test_snp_without_its_device_is_a_refusal_when_it_seals(tmp_path):
    found = sealer(tmp_path, SEALMESH_SEALER=f"snp:{tmp_path}/none?vmpl=1")
    with pytest.raises(SealerError):
        found.seal([KEY])


def test_an_anchor_moors_the_state(tmp_path):
    assert isinstance(build_mooring(configured(tmp_path)), Unmoored)
    moored = build_mooring(configured(tmp_path, SEALMESH_ANCHOR=f"file:{tmp_path}/anchor"))
    assert isinstance(moored, Moored)
    assert moored.describe() == f"the file {tmp_path}/anchor"
