"""The configuration of `sealmesh run`, read once from options and environment.

An option, a `SEALMESH_*` variable and MarbleRun's `EDG_MARBLE_*` variable may each give a setting. Empty
counts as unset; sources that differ are an error that names both.
"""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from sealmesh.adapters.attester.choice import AttesterChoice, read_attester
from sealmesh.adapters.log import LogFormat, LogLevel
from sealmesh.errors.marble import MarbleConfigurationError, MarbleConflict

DEFAULT_PORT: Final = 2001

_LABEL: Final = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DNS_NAME: Final = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")

_T = TypeVar("_T")
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class CoordinatorAddress:
    """Host and port of the Coordinator's mesh port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting: its option without dashes, its variables (ours first), its default."""

    name: str
    variables: tuple[str, ...]
    default: str
    about: str


COORDINATOR: Final = Setting(
    name="coordinator-addr",
    variables=("SEALMESH_COORDINATOR_ADDR", "EDG_MARBLE_COORDINATOR_ADDR"),
    default="localhost:2001",
    about="the Coordinator's mesh port",
)
TYPE: Final = Setting(
    name="type",
    variables=("SEALMESH_MARBLE_TYPE", "EDG_MARBLE_TYPE"),
    default="",
    about="the Marble type in the manifest",
)
DNS_NAMES: Final = Setting(
    name="dns-names",
    variables=("SEALMESH_MARBLE_DNS_NAMES", "EDG_MARBLE_DNS_NAMES"),
    default="localhost",
    about="names and addresses to ask for in the certificate, comma list",
)
UUID_FILE: Final = Setting(
    name="uuid-file",
    variables=("SEALMESH_MARBLE_UUID_FILE", "EDG_MARBLE_UUID_FILE"),
    default="uuid",
    about="where this Marble's UUID is kept; made where it is missing",
)
PACKAGE: Final = Setting(
    name="package",
    variables=("SEALMESH_PACKAGE",),
    default=".",
    about="the package document, or its directory",
)
ATTESTER: Final = Setting(
    name="attester",
    variables=("SEALMESH_ATTESTER",),
    default="",
    about="how Evidence is made: `simulated`, `simulated:DIR`, also as another TEE with `simulated-tdx`, "
    "`simulated-snp`, `simulated-nitro`, `simulated-tpm`; in a TEE `auto`, or `gramine`, `tsm`, `sev-guest`, "
    "`nitro`, each also with :PATH, `tdx-guest[:PATH][?port=N]`, `azure[:TCTI][?imds=URL]`, "
    "`tpm[:TCTI]?pcrs=sha256:0,7`; `none` only with --legacy",
)
LEGACY: Final = Setting(
    name="legacy",
    variables=("SEALMESH_LEGACY",),
    default="0",
    about="MarbleRun's activation: the Coordinator makes the key and is not verified",
)
WAIT: Final = Setting(
    name="wait",
    variables=("SEALMESH_WAIT_SECONDS",),
    default="60",
    about="how many seconds to wait for a Coordinator that is away or has no manifest",
)

LOG_FORMAT: Final = Setting(
    name="log-format",
    variables=("SEALMESH_LOG_FORMAT",),
    default="console",
    about="`json` or `console`; on stderr",
)
LOG_LEVEL: Final = Setting(
    name="log-level",
    variables=("SEALMESH_LOG_LEVEL",),
    default="info",
    about="`debug`, `info`, `warning` or `error`",
)

SETTINGS: Final = (
    COORDINATOR,
    TYPE,
    DNS_NAMES,
    UUID_FILE,
    PACKAGE,
    ATTESTER,
    LEGACY,
    WAIT,
    LOG_FORMAT,
    LOG_LEVEL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarbleConfig:
    """What `sealmesh run` is told.

    Attributes:
        command: Program and arguments; empty for what the package says.
        attester: None: no Evidence, legacy only.
        environment: Of this process: what declared variables are taken from, and nothing else.
        wait_seconds: How long to wait for a Coordinator that is away or has no manifest yet.
    """

    command: tuple[str, ...]
    coordinator: CoordinatorAddress
    marble_type: str
    dns_names: tuple[str, ...]
    uuid_file: Path
    package: Path
    attester: AttesterChoice
    legacy: bool
    wait_seconds: float
    log_format: LogFormat
    log_level: LogLevel
    environment: Mapping[str, str]


def read_configuration(
    command: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> MarbleConfig:
    """Return the configuration from command line and environment.

    Args:
        command: Program and arguments.
        options: By name, without dashes, as text; see `SETTINGS`.
        environment: Of the process by default.

    Raises:
        MarbleConfigurationError: A source cannot be read, two contradict each other, or one is missing.
    """
    sources = _Sources(options or {}, os.environ if environment is None else environment)
    marble_type = sources.read(TYPE, str)
    if not marble_type:
        raise MarbleConfigurationError(
            "The Marble type is not given",
            wanted="--type, SEALMESH_MARBLE_TYPE or EDG_MARBLE_TYPE",
            remedy="It is a name under `Marbles` in the manifest",
        )
    legacy = sources.read(LEGACY, _flag)
    return MarbleConfig(
        command=tuple(command),
        coordinator=sources.read(COORDINATOR, _address),
        marble_type=marble_type,
        dns_names=sources.read(DNS_NAMES, _names),
        uuid_file=sources.read(UUID_FILE, Path),
        package=sources.read(PACKAGE, Path),
        attester=_attester(sources, legacy=legacy),
        legacy=legacy,
        wait_seconds=sources.read(WAIT, _seconds),
        log_format=sources.read(LOG_FORMAT, _word(LogFormat)),
        log_level=sources.read(LOG_LEVEL, _word(LogLevel)),
        environment=dict(sources.environment),
    )


class _Sources:
    def __init__(self, options: Mapping[str, str], environment: Mapping[str, str]) -> None:
        known = {setting.name for setting in SETTINGS}
        for name in options:
            if name not in known:
                raise MarbleConfigurationError("There is no such option", found=f"--{name}")
        self.environment = environment
        self._options = options

    def read(self, setting: Setting, convert: Callable[[str], _T]) -> _T:
        """Return what the sources of `setting` say, or its default."""
        given = [(f"--{setting.name}", self._options.get(setting.name, ""))]
        given += [(name, self.environment.get(name, "")) for name in setting.variables]
        values = [(source, _converted(source, text, convert)) for source, text in given if text]
        for source, value in values[1:]:
            if value != values[0][1]:
                raise MarbleConflict(
                    f"{values[0][0]} and {source} contradict each other",
                    found=f"{values[0][1]} and {value}",
                )
        return values[0][1] if values else convert(setting.default)


def _converted(source: str, text: str, convert: Callable[[str], _T]) -> _T:
    try:
        return convert(text)
    except ValueError as error:
        raise MarbleConfigurationError(
            f"{source} cannot be read", found=repr(text), wanted=str(error)
        ) from error


def _attester(sources: _Sources, *, legacy: bool) -> AttesterChoice:
    given = sources.read(ATTESTER, _readable)
    choice = read_attester(given) if given else None
    if choice is None and not (given and legacy):
        raise MarbleConfigurationError(
            "This machine has no way to make Evidence",
            found=f"attester {given or 'not given'}",
            wanted="simulated or simulated:DIR",
            remedy="Give --attester simulated (SEALMESH_ATTESTER) on a machine without a TEE, auto in one",
        )
    return choice


def _readable(text: str) -> str:
    if text:
        read_attester(text)
    return text


def _address(text: str) -> CoordinatorAddress:
    host, separator, port = text.rpartition(":")
    if not separator or "]" in port:
        host, port = text, str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536) or not host.strip("[]"):
        raise ValueError("HOST:PORT")
    return CoordinatorAddress(host.strip("[]"), int(port))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name for part in text.split(",") if (name := part.strip()))
    if not all(_is_ip(name) or (_DNS_NAME.fullmatch(name) and len(name) < 254) for name in names):
        raise ValueError("DNS names in ASCII (`xn--...`) and IP addresses, separated by commas")
    return names


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes"):
        return True
    if text.lower() in ("0", "false", "no"):
        return False
    raise ValueError("1 or 0")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < 10**9:
        raise ValueError("a number of seconds")
    return seconds


def _word(words: type[_Word]) -> Callable[[str], _Word]:
    def convert(text: str) -> _Word:
        try:
            return words(text)
        except ValueError as error:
            raise ValueError(" or ".join(words)) from error

    return convert
