"""`python -m fuzz.judging TARGET ROOT`: judge a target's corpus and suspects; say where findings are."""

import sys
from pathlib import Path

from fuzz.judgement import judge
from fuzz.places import Places
from fuzz.target import load_target


def main() -> None:
    """Keep every finding with what is wrong beside it."""
    name, root = sys.argv[1:]
    places, target = Places(name, Path(root)), load_target(name)
    for seed in target.seeds().values():
        target.run(seed)  # what is made once must not count for the first input
    for path in (*sorted(places.suspects.iterdir()), *sorted(places.corpus.iterdir())):
        data = path.read_bytes()
        wrong = judge(target, data)
        if wrong is not None:
            finding = places.findings / path.name
            finding.write_bytes(data)
            finding.with_suffix(".txt").write_text(wrong)
            print(f"finding {finding}")


if __name__ == "__main__":
    main()
