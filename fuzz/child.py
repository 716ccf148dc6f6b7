"""`python -m fuzz.child TARGET ROOT OPTION...`: one target under atheris, until its time is over."""

import hashlib
import resource
import sys
import time
from pathlib import Path

import atheris

from fuzz.places import Places
from fuzz.target import Target, load_target

_MOST_SUSPECTS = 40


class Watch:
    """Runs the target, and keeps aside what was slow or made the process grow: to be judged afterwards."""

    def __init__(self, target: Target, suspects: Path, expected: type[Exception]) -> None:
        self._target = target
        self._suspects = suspects
        self._expected = expected
        self._left = _MOST_SUSPECTS

    def once(self, data: bytes) -> None:
        """Take one input."""
        size, begin = _resident_megabytes(), time.process_time()
        try:
            self._target.run(data)
        except self._expected:
            pass
        spent, grown = (time.process_time() - begin) * 1000, _resident_megabytes() - size
        if self._left and (spent > self._target.milliseconds or grown > self._target.megabytes):
            self._left -= 1
            (self._suspects / hashlib.sha1(data).hexdigest()).write_bytes(data)  # noqa: S324 (a name)


def _resident_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _write_dictionary(path: Path, words: tuple[bytes, ...]) -> None:
    escaped = ("".join(f"\\x{byte:02x}" for byte in word) for word in words)
    path.write_text("".join(f'"{word}"\n' for word in escaped))


def main() -> None:
    """Fuzz; the process ends with atheris."""
    name, root, *options = sys.argv[1:]
    places = Places(name, Path(root))
    with atheris.instrument_imports(include=["sealmesh"]):
        from sealmesh.errors import SealmeshError

        target = load_target(name)
    for title, seed in target.seeds().items():
        (places.seeds / title.replace(" ", "-").replace("/", "-")).write_bytes(seed)
    watch = Watch(target, places.suspects, SealmeshError)
    arguments = [f"-max_len={target.longest}", f"-artifact_prefix={places.findings}/"]
    if target.words:
        dictionary = places.log.with_name("words.dict")
        _write_dictionary(dictionary, target.words)
        arguments.append(f"-dict={dictionary}")
    folders = [str(places.corpus), str(places.seeds)]
    atheris.Setup([sys.argv[0], *arguments, *options, *folders], watch.once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
