"""Intel's QCNL configuration: which caching service has the collateral.

Two forms are in use: JSON with comments (DCAP 1.13 and later) and `NAME=VALUE` lines (before). Source: the
comments in Intel's own sgx_default_qcnl.conf.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from sealmesh.errors.cluster import InstallRefused

_COMMENT: Final = re.compile(r"(?<![:\w])//.*$|^\s*#.*$", re.MULTILINE)
_LINE: Final = re.compile(r"^\s*([A-Za-z_]+)\s*=\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Qcnl:
    """What our own endorser takes from it."""

    pccs_url: str
    secure: bool


def parse_qcnl(text: str) -> Qcnl:
    """Read the caching service's URL, and whether its certificate is to be checked.

    Raises:
        InstallRefused: It is none, or names no service.
    """
    bare = _COMMENT.sub("", text)
    if bare.lstrip().startswith("{"):
        try:
            document = json.loads(bare)
        except ValueError as error:
            raise _refusal(str(error)) from error
        found = {str(name).lower(): value for name, value in document.items()}
    else:
        found = {name.lower(): value for name, value in _LINE.findall(bare)}
    url = found.get("pccs_url")
    if not isinstance(url, str) or not url:
        raise _refusal("no pccs_url")
    return Qcnl(url, str(found.get("use_secure_cert", "true")).lower() != "false")


def _refusal(found: str) -> InstallRefused:
    return InstallRefused(
        "the QCNL configuration cannot be used",
        found=found,
        wanted='{"pccs_url": "https://...", "use_secure_cert": true}',
        remedy="See Intel's sgx_default_qcnl.conf, or give --dcap-pccs-url.",
    )
