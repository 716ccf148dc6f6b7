"""What `--sealer` and `--anchor` mean, and what they refuse."""

from pathlib import Path

import pytest

from sealmesh.adapters.sealer.pkcs11 import TokenKey
from sealmesh.server.sealing_choice import (
    FileAnchoring,
    GramineSealing,
    PlatformSealing,
    SnpSealing,
    TpmAnchoring,
    TpmSealing,
    read_anchor,
    read_sealers,
)

TOKEN = "pkcs11:token=my%20mesh;object=k?module-path=/usr/lib/libsofthsm2.so&pin-source=file:/run/pin"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("platform", PlatformSealing()),
        ("", PlatformSealing()),
        ("gramine", GramineSealing(Path("/dev/attestation/keys"))),
        ("gramine:/mnt/keys", GramineSealing(Path("/mnt/keys"))),
        ("snp", SnpSealing(Path("/dev/sev-guest"), 0)),
        ("snp:/dev/guest?vmpl=2", SnpSealing(Path("/dev/guest"), 2)),
        ("tpm?pcrs=sha256:0,23", TpmSealing("device:/dev/tpmrm0", "sha256:0,23")),
        ("tpm:swtpm:path=/run/s?pcrs=sha384:7", TpmSealing("swtpm:path=/run/s", "sha384:7")),
        (
            TOKEN,
            TokenKey(
                module=Path("/usr/lib/libsofthsm2.so"), token="my mesh", label="k", pin_file=Path("/run/pin")
            ),
        ),
    ],
)
def test_a_sealer_is_read(text, meaning):
    assert read_sealers(text) == (meaning,)


def test_several_sealers_are_separated_by_blanks_and_keep_their_order():
    assert read_sealers("snp  platform") == (SnpSealing(), PlatformSealing())


@pytest.mark.parametrize(
    "text",
    [
        "tmp?pcrs=sha256:0",
        "platform:x",
        "platform?pcrs=sha256:0",
        "tpm",
        "tpm?pcrs=",
        "tpm?pcrs=sha256:",
        "tpm?pcrs=sha256:24",
        "tpm?pcrs=md5:1",
        "tpm?pcrs=sha256:0&pcrs=sha256:1",
        "tpm?prcs=sha256:0",
        "snp?vmpl=4",
        "snp?vmpl=-1",
        "snp?",
        "pkcs11:token=t;object=o",
        TOKEN.replace("file:/run/pin", "file:pin"),
        TOKEN.replace("object=k", "id=%01"),
        TOKEN + "&pin-value=1234",
        "snp,platform",
    ],
)
def test_what_means_nothing_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_sealers(text)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", None),
        ("file:/mnt/other host/anchor", FileAnchoring(Path("/mnt/other host/anchor"))),
        ("tpm", TpmAnchoring("device:/dev/tpmrm0", 0x01500010)),
        ("tpm:device:/dev/tpm1?index=0x01500020", TpmAnchoring("device:/dev/tpm1", 0x01500020)),
    ],
)
def test_an_anchor_is_read(text, meaning):
    assert read_anchor(text) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "file:anchor",
        "file:",
        "/mnt/anchor",
        "tpm?index=7",
        "tpm?index=0x02000000",
        "tpm?index=x",
        "tpm?pcrs=sha256:0",
    ],
)
def test_what_is_no_anchor_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        read_anchor(text)
