"""What operators, users, owners and Marbles ask of a Coordinator, as the model knows it."""

from dataclasses import dataclass

from model_people import Plan


@dataclass(frozen=True, slots=True)
class SetManifest:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Activate:
    marble: str
    uuid: str
    own: bool = False
    request: bool = True


@dataclass(frozen=True, slots=True)
class Propose:
    user: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Acknowledge:
    user: str
    plan: Plan


@dataclass(frozen=True, slots=True)
class Cancel:
    user: str


@dataclass(frozen=True, slots=True)
class RaiseVersion:
    user: str
    version: int


@dataclass(frozen=True, slots=True)
class Upload:
    user: str
    values: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Read:
    user: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """`marble` is the number of an admission, in their order."""

    marble: int
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Recover:
    """`sealing` is the number of the sealing that the share is of; the present one is right."""

    owner: str
    sealing: int
    signed: bool = True


Command = (
    SetManifest | Activate | Propose | Acknowledge | Cancel | RaiseVersion | Upload | Read | Count | Recover
)
