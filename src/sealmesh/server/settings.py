"""Every setting of a Coordinator process: its option, its variables, how it is read, its default.

A setting may come from several sources (an option, `SEALMESH_*`, `EDG_*`). An empty variable counts as unset.
Sources that mean the same are fine; sources that differ are an error that names both, because one of them
is not what somebody thinks is in force.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from sealmesh.errors.configuration import ConfigurationError, ConflictingSources

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """One setting.

    Attributes:
        name: The option without dashes, for example `mesh-addr`.
        variables: In the order in which they are named in messages; ours first.
        default: As text, read like any other source.
    """

    name: str
    variables: tuple[str, ...]
    read: Callable[[str], T]
    default: str
    about: str

    def value(self, options: Mapping[str, str], environment: Mapping[str, str]) -> T:
        """Return what the sources say, or the default.

        Raises:
            ConflictingSources: Two sources mean different things.
            ConfigurationError: A source cannot be read.
        """
        given = [(source, self._read(source, text)) for source, text in self._sources(options, environment)]
        for source, value in given[1:]:
            if value != given[0][1]:
                raise ConflictingSources(
                    f"{given[0][0]} and {source} contradict each other",
                    found=f"{given[0][0]}={given[0][1]!s}, {source}={value!s}",
                )
        return given[0][1] if given else self.read(self.default)

    def _sources(self, options: Mapping[str, str], environment: Mapping[str, str]) -> list[tuple[str, str]]:
        sources = [(f"--{self.name}", options.get(self.name, ""))]
        sources += [(variable, environment.get(variable, "")) for variable in self.variables]
        return [(source, text) for source, text in sources if text]

    def _read(self, source: str, text: str) -> T:
        try:
            return self.read(text)
        except ValueError as error:
            raise ConfigurationError(
                f"{source} cannot be read", found=repr(text), wanted=str(error)
            ) from error
