"""What the user wants of an installation, as the values of the chart."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sealmesh.adapters.endorser.choice import read_endorsers
from sealmesh.adapters.kubernetes.qcnl import parse_qcnl
from sealmesh.errors.cluster import InstallRefused

#: Where the chart puts the CAs of the caching service.
CA_PATH: Final = "/etc/sealmesh/dcap/ca.pem"
#: What `podman build -t` makes; no registry can answer for it.
IMAGE: Final = "localhost/sealmesh"
_IMAGE: Final = re.compile(
    r"(?P<repository>[a-z0-9][a-z0-9._-]*(?::[0-9]+(?=/))?(?:/[a-z0-9._-]+)*)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOptions:
    """What `sealmesh install` was told; see its options.

    Attributes:
        resources: What is asked of a node; empty with `simulation`.
        pccs_url: Of a caching service; None with `qcnl`, or when there is none.
        ca: PEM of the CAs that vouch for the caching service.
        qcnl: The text of a QCNL configuration.
    """

    simulation: bool = False
    resources: Mapping[str, str] = field(default_factory=dict)
    image: str | None = None
    version: str | None = None
    client_server_port: int = 4433
    mesh_server_port: int = 2001
    domain: str = "localhost"
    pccs_url: str | None = None
    secure_certificate: bool = True
    ca: str | None = None
    qcnl: str | None = None
    workers: int = 1
    compat: str = ""

    def values(self) -> dict[str, Any]:
        """Return the chart's values.

        Raises:
            InstallRefused: Something is malformed, contradicts itself, or is not there.
        """
        return {
            "simulation": self.simulation,
            "image": self._image(),
            "tee": {"resources": dict(self.resources)},
            "coordinator": {
                "clientServerPort": self.client_server_port,
                "meshServerPort": self.mesh_server_port,
                "domain": self.domain,
                "workers": self.workers,
                "compat": self.compat,
            },
            "dcap": {"endorser": self._endorser(), "ca": self.ca or "", "qcnl": self.qcnl or ""},
        }

    def _image(self) -> dict[str, str]:
        match = _IMAGE.fullmatch(self.image or IMAGE)
        if match is None or (self.version is not None and not _TAG.fullmatch(self.version)):
            raise InstallRefused(
                "this names no image",
                found=self.image if match is None else self.version,
                wanted="REGISTRY/NAME[:TAG][@sha256:DIGEST], and a tag as --version",
                remedy="Build it from deploy/Containerfile, and name it as you pushed it.",
            )
        if self.version is not None and (match["tag"] or match["digest"]):
            raise InstallRefused(
                "--image names a version already",
                found=f"{self.image} and --version {self.version}",
                remedy="Say it once.",
            )
        return {
            "repository": match["repository"],
            "tag": match["tag"] or self.version or "",
            "digest": match["digest"] or "",
        }

    def _endorser(self) -> str:
        url, secure = self.pccs_url, self.secure_certificate
        if self.qcnl is not None:
            if url is not None or not secure:
                raise InstallRefused(
                    "--dcap-qcnl-config-file says the same as --dcap-pccs-url and --dcap-secure-cert",
                    remedy="Give the file, or the other two.",
                )
            configuration = parse_qcnl(self.qcnl)
            url, secure = configuration.pccs_url, configuration.secure
        if not secure:
            raise InstallRefused(
                "the certificate of the caching service is always checked",
                found="--dcap-secure-cert FALSE, or use_secure_cert: false",
                remedy="Give the CA that vouches for it: --dcap-ca-file FILE.",
            )
        if url is None:
            return ""
        endorser = f"pccs:{url}" + (f"?ca={CA_PATH}" if self.ca else "")
        try:
            read_endorsers(endorser)
        except ValueError as error:
            raise InstallRefused(
                "this is no caching service's URL", found=url,
                wanted="https://HOST[:PORT][/sgx/certification/v4/]", remedy="See --dcap-pccs-url.",
            ) from error  # fmt: skip
        return endorser
