"""Where a target's files are kept between runs: `.fuzz/`, which is not committed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / ".fuzz"


@dataclass(frozen=True, slots=True)
class Places:
    """The directories of one target.

    Attributes:
        target: Its name.
        root: Of all targets.
    """

    target: str
    root: Path = ROOT

    @property
    def corpus(self) -> Path:
        """Inputs that reached something new, of all runs."""
        return self._directory("corpus")

    @property
    def seeds(self) -> Path:
        """Good inputs, made anew for each run: their signatures are of this run's keys."""
        return self._directory("seeds")

    @property
    def suspects(self) -> Path:
        """Inputs of this run that were slow or large under instrumentation."""
        return self._directory("suspects")

    @property
    def findings(self) -> Path:
        """Inputs that are wrong, each with what was found in a text file beside it."""
        return self._directory("findings")

    @property
    def log(self) -> Path:
        """What the fuzzer said in the last run."""
        return self._directory("log") / "fuzzer.txt"

    def clear(self) -> None:
        """Remove what is of one run only."""
        for directory in (self.seeds, self.suspects):
            shutil.rmtree(directory)

    def _directory(self, kind: str) -> Path:
        path = self.root / kind / self.target
        path.mkdir(parents=True, exist_ok=True)
        return path
