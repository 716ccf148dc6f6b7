"""The configuration of a Coordinator process, read once from options and environment.

This is the only reader of the environment. The table of settings is also what the reference in
`docs/reference/configuration.md` is made of.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sealmesh.adapters.attester.choice import (
    AttesterChoice,
    SimulatedChoice,
    SimulatedPlatform,
    read_attester,
)
from sealmesh.adapters.endorser.choice import EndorserChoice, read_endorsers
from sealmesh.adapters.endorser.fetch_budget import DEFAULT_LIMIT
from sealmesh.adapters.log import LogFormat, LogLevel
from sealmesh.coordinator.relaxation import Relaxation, parse_relaxations
from sealmesh.errors.configuration import AttesterMissing
from sealmesh.server.evidence_choice import RootChoice, read_roots
from sealmesh.server.sealing_choice import (
    AnchorChoice,
    PlatformSealing,
    SealerChoice,
    read_anchor,
    read_sealers,
)
from sealmesh.server.settings import Setting
from sealmesh.server.unavailable import refuse_unavailable
from sealmesh.server.values import (
    Address,
    read_address,
    read_cpu,
    read_flag,
    read_lifetime,
    read_limit,
    read_list,
    read_optional_address,
    read_optional_path,
    read_paths,
    read_workers,
)

SEAL_DIRECTORY: Final = "marblerun-coordinator-data"

MESH = Setting(
    name="mesh-addr",
    variables=("SEALMESH_MESH_ADDR", "EDG_COORDINATOR_MESH_ADDR"),
    read=read_address,
    default=":2001",
    about="where Marbles connect (gRPC and Connect)",
)
CLIENT = Setting(
    name="client-addr",
    variables=("SEALMESH_CLIENT_ADDR", "EDG_COORDINATOR_CLIENT_ADDR"),
    read=read_address,
    default=":4433",
    about="where users connect (HTTPS)",
)
METRICS = Setting(
    name="metrics-addr",
    variables=("SEALMESH_METRICS_ADDR", "EDG_COORDINATOR_PROMETHEUS_ADDR"),
    read=read_optional_address,
    default="",
    about="metrics and events: plain HTTP on loopback, elsewhere for users over mutual TLS",
)
DNS_NAMES = Setting(
    name="dns-names",
    variables=("SEALMESH_DNS_NAMES", "EDG_COORDINATOR_DNS_NAMES"),
    read=read_list,
    default="localhost",
    about="names and addresses in the Coordinator's certificates; used when a CA is made",
)
SEAL_DIR = Setting(
    name="seal-dir",
    variables=("SEALMESH_SEAL_DIR", "EDG_COORDINATOR_SEAL_DIR"),
    read=read_optional_path,
    default="",
    about=f"where the sealed state is kept; default `{SEAL_DIRECTORY}` in the working directory (`EDG_CWD`)",
)
SEALER = Setting(
    name="sealer",
    variables=("SEALMESH_SEALER",),
    read=read_sealers,
    default="platform",
    about="where the key that seals the state comes from: `platform` (the TEE of the attester, where it has "
    "keys), `gramine[:DIR]`, "
    "`snp[:DEVICE][?vmpl=N]`, `tpm[:TCTI]?pcrs=sha256:0,7`, "
    "`pkcs11:token=T;object=O?module-path=LIB&pin-source=file:FILE`; of several, separated by blanks, the "
    "first seals and the others only open",
)
ANCHOR = Setting(
    name="anchor",
    variables=("SEALMESH_ANCHOR",),
    read=read_anchor,
    default="",
    about="what shows that an old copy of the state was put back: `file:/PATH` on another host, or "
    "`tpm[:TCTI][?index=0x01500010]`",
)
STARTUP_MANIFEST = Setting(
    name="startup-manifest",
    variables=("SEALMESH_STARTUP_MANIFEST", "EDG_STARTUP_MANIFEST"),
    read=read_optional_path,
    default="",
    about="a manifest to set at the first start; an error when there is a state already",
)
COMPAT = Setting(
    name="compat",
    variables=("SEALMESH_COMPAT",),
    read=lambda text: parse_relaxations(text.split(",")),
    default="",
    about="relaxations by name, comma list; `marblerun` is all of them",
)
ATTESTER = Setting(
    name="attester",
    variables=("SEALMESH_ATTESTER",),
    read=read_attester,
    default="none",
    about="how the Coordinator makes Evidence of itself: `none`; `simulated[:DIR]`, also as another TEE with "
    "`simulated-tdx`, `simulated-snp`, `simulated-nitro`, `simulated-tpm`; in a TEE `auto`, or `gramine`, "
    "`tsm`, `sev-guest`, `nitro`, each also with :PATH, `tdx-guest[:PATH][?port=N]`, "
    "`azure[:TCTI][?imds=URL]`, `tpm[:TCTI]?pcrs=sha256:0,7`. Where nothing is said: `none` with "
    "`insecure-empty-quotes` or `OE_SIMULATION=0`, else `simulated`",
)
SIMULATION = Setting(
    name="simulation",
    variables=("OE_SIMULATION",),
    read=read_flag,
    default="0",
    about="MarbleRun's word for a machine without a TEE; 1 makes the simulated attester's root a trusted one",
)
TRUST_ROOTS = Setting(
    name="trust-roots",
    variables=("SEALMESH_TRUST_ROOTS",),
    read=read_roots,
    default="",
    about="roots under which Evidence counts: `intel`, `simulated[:DIR]`, `[FAMILY:]NAME=SHA256`, "
    "other vendors as in docs/attestation; default `intel` and, if somebody said that the attester is "
    "simulated, its roots",
)
COLLATERAL = Setting(
    name="collateral",
    variables=("SEALMESH_COLLATERAL",),
    read=read_paths,
    default="",
    about="files or directories with the collateral of the Marbles' platforms, comma list",
)
ENDORSER = Setting(
    name="endorser",
    variables=("SEALMESH_ENDORSER",),
    read=read_endorsers,
    default="",
    about="servers that have collateral, comma list, asked after the files: `pcs[:URL]`, `pccs:URL`, "
    "`kds[:URL]` with URL = `https://HOST[:PORT][?ca=FILE]`; or `bundle:PATH`",
)
ENDORSER_CACHE = Setting(
    name="endorser-cache",
    variables=("SEALMESH_ENDORSER_CACHE",),
    read=read_optional_path,
    default="",
    about="where their answers are kept; default `~/.cache/sealmesh/endorsements`",
)
ENDORSER_LIMIT = Setting(
    name="endorser-limit",
    variables=("SEALMESH_ENDORSER_LIMIT",),
    read=read_limit,
    default=str(DEFAULT_LIMIT),
    about="how many platforms that were never seen before each of them is asked for in an hour, for each "
    "family and worker",
)
RESULT_LIFETIME = Setting(
    name="result-lifetime",
    variables=("SEALMESH_RESULT_LIFETIME",),
    read=read_lifetime,
    default="1h",
    about="the longest that an Attestation Result is good; it ends before the collateral it rests on",
)
WORKERS = Setting(
    name="workers",
    variables=("SEALMESH_WORKERS",),
    read=read_workers,
    default="1",
    about="processes that serve the same ports and the same state",
)
CPU = Setting(
    name="cpu",
    variables=("SEALMESH_CPU",),
    read=read_cpu,
    default="one",
    about="`one`: a worker's threads stay on one CPU at a time, chosen anew every five seconds, which saves "
    "work; `any`: the system places them",
)
RESET_STATE = Setting(
    name="reset-state",
    variables=("SEALMESH_RESET_STATE",),
    read=read_flag,
    default="0",
    about="the operator's word that a new manifest may replace a state that waits for recovery",
)
LOG_FORMAT = Setting(
    name="log-format",
    variables=("SEALMESH_LOG_FORMAT",),
    read=LogFormat,
    default="json",
    about="`json` or `console`",
)
LOG_LEVEL = Setting(
    name="log-level",
    variables=("SEALMESH_LOG_LEVEL",),
    read=LogLevel,
    default="info",
    about="`debug`, `info`, `warning` or `error`",
)
DEV_MODE = Setting(
    name="dev-mode",
    variables=("EDG_COORDINATOR_DEV_MODE",),
    read=read_flag,
    default="0",
    about="console log, debug level",
)
DEBUG_LOGGING = Setting(
    name="debug-logging",
    variables=("EDG_DEBUG_LOGGING",),
    read=read_flag,
    default="0",
    about="debug level",
)

SETTINGS: Final[tuple[Setting[Any], ...]] = (
    MESH,
    CLIENT,
    METRICS,
    DNS_NAMES,
    SEAL_DIR,
    SEALER,
    ANCHOR,
    STARTUP_MANIFEST,
    COMPAT,
    ATTESTER,
    SIMULATION,
    TRUST_ROOTS,
    COLLATERAL,
    ENDORSER,
    ENDORSER_CACHE,
    ENDORSER_LIMIT,
    RESULT_LIFETIME,
    WORKERS,
    CPU,
    RESET_STATE,
    LOG_FORMAT,
    LOG_LEVEL,
    DEV_MODE,
    DEBUG_LOGGING,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfiguration:
    """Everything a Coordinator process is told; see `SETTINGS`.

    Attributes:
        sealers: The first seals, all open.
        roots: None means the default: Intel, and the attester's own root where that is simulated by choice.
        attester_assumed: Nobody said how to make Evidence, and there is no TEE: the simulated platform is
            used, but its root is not trusted, because nobody named it.
    """

    mesh: Address
    client: Address
    metrics: Address | None
    dns_names: tuple[str, ...]
    seal_dir: Path
    sealers: tuple[SealerChoice, ...] = (PlatformSealing(),)
    anchor: AnchorChoice = None
    startup_manifest: Path | None
    relaxations: frozenset[Relaxation]
    attester: AttesterChoice
    attester_assumed: bool
    roots: tuple[RootChoice, ...] | None
    collateral: tuple[Path, ...]
    endorsers: tuple[EndorserChoice, ...] = ()
    endorser_cache: Path | None = None
    endorser_limit: int = DEFAULT_LIMIT
    result_lifetime: timedelta = timedelta(hours=1)
    workers: int
    one_cpu: bool = True
    reset_state: bool
    log_format: LogFormat
    log_level: LogLevel

    @property
    def open_metrics(self) -> bool:
        """Whether metrics are plain HTTP: where only this machine gets at them, or the operator wants it."""
        loopback = self.metrics is not None and self.metrics.loopback_only
        return loopback or Relaxation.INSECURE_OPEN_METRICS in self.relaxations

    @property
    def simulated_platforms(self) -> tuple[SimulatedPlatform, ...]:
        """The simulated platforms that the configuration names, as attester or as trust root."""
        named = [choice for choice in self.roots or () if isinstance(choice, SimulatedPlatform)]
        own = self.attester
        if isinstance(own, SimulatedChoice) and self.roots is None and not self.attester_assumed:
            named.append(own.platform)
        return tuple(dict.fromkeys(named))


def read_configuration(
    options: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
) -> ServerConfiguration:
    """Return the configuration from options (by name, without dashes, as text) and environment.

    Raises:
        ConfigurationError: A source cannot be read, two contradict each other, or what is asked for is not
            available; the message names option or variable.
    """
    options = {} if options is None else options
    environment = os.environ if environment is None else environment
    refuse_unavailable(environment)
    form, level = _log(options, environment)
    relaxations = COMPAT.value(options, environment)
    attester = _attester(options, environment, relaxations)
    configuration = ServerConfiguration(
        mesh=MESH.value(options, environment),
        client=CLIENT.value(options, environment),
        metrics=METRICS.value(options, environment),
        dns_names=DNS_NAMES.value(options, environment),
        seal_dir=_seal_dir(options, environment),
        sealers=SEALER.value(options, environment),
        anchor=ANCHOR.value(options, environment),
        startup_manifest=STARTUP_MANIFEST.value(options, environment),
        relaxations=relaxations,
        attester=attester.choice,
        attester_assumed=attester.assumed,
        roots=TRUST_ROOTS.value(options, environment) or None,
        collateral=COLLATERAL.value(options, environment),
        endorsers=ENDORSER.value(options, environment),
        endorser_cache=ENDORSER_CACHE.value(options, environment),
        endorser_limit=ENDORSER_LIMIT.value(options, environment),
        result_lifetime=RESULT_LIFETIME.value(options, environment),
        workers=WORKERS.value(options, environment),
        one_cpu=CPU.value(options, environment),
        reset_state=RESET_STATE.value(options, environment),
        log_format=form,
        log_level=level,
    )
    return _checked(configuration)


def _checked(configuration: ServerConfiguration) -> ServerConfiguration:
    relaxed = configuration.relaxations
    if configuration.attester is None and Relaxation.INSECURE_EMPTY_QUOTES not in relaxed:
        raise AttesterMissing("this Coordinator could not prove what it is")
    return replace(configuration, seal_dir=configuration.seal_dir.absolute())


@dataclass(frozen=True, slots=True)
class _Attester:
    choice: AttesterChoice
    assumed: bool = False


def _attester(
    options: Mapping[str, str], environment: Mapping[str, str], relaxations: frozenset[Relaxation]
) -> _Attester:
    """Return how Evidence is made; on a machine with `EDG_*` variables alone, by the simulated platform."""
    chosen, simulation = ATTESTER.value(options, environment), SIMULATION.value(options, environment)
    if _said(ATTESTER, options, environment) or Relaxation.INSECURE_EMPTY_QUOTES in relaxations:
        return _Attester(chosen)
    if simulation or not _said(SIMULATION, options, environment):
        return _Attester(SimulatedChoice(), assumed=not simulation)
    return _Attester(chosen)


def _said(setting: Setting[Any], options: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    return bool(options.get(setting.name)) or any(environment.get(name) for name in setting.variables)


def _seal_dir(options: Mapping[str, str], environment: Mapping[str, str]) -> Path:
    named = SEAL_DIR.value(options, environment)
    return named or Path(environment.get("EDG_CWD") or Path.cwd()) / SEAL_DIRECTORY


def _log(options: Mapping[str, str], environment: Mapping[str, str]) -> tuple[LogFormat, LogLevel]:
    development = DEV_MODE.value(options, environment)
    form, level = LOG_FORMAT.value(options, environment), LOG_LEVEL.value(options, environment)
    if development:
        form = LogFormat.CONSOLE
    if development or DEBUG_LOGGING.value(options, environment):
        level = LogLevel.DEBUG
    return form, level
