"""`sealmesh recover --drill`: prove that shares open the state, and change nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.files import read_file
from sealmesh.cli.output import Output
from sealmesh.errors.cli import DrillFailed, UsageError

if TYPE_CHECKING:
    from sealmesh.client import CoordinatorApi, ShareKey
    from sealmesh.client.drill import Drill, DrillShare


def run_drill(
    api: "CoordinatorApi", secret: Path, key: "ShareKey | None", others: list[str], output: Output
) -> None:
    """Ask the Coordinator about the share in `secret`, and about further ones, each as `FILE=KEY.pem`.

    Raises:
        DrillFailed: A recovery would refuse a share, or the state did not open though there were enough.
        UsageError: A further share has not this form.
    """
    from sealmesh.client import ShareKeyFile

    shares = {str(secret): _share(secret, key)}
    for other in others:
        file, equals, pem = other.rpartition("=")
        if not equals or file in shares:
            raise UsageError("a further share is FILE=KEY.pem, each once", found=other)
        shares[file] = _share(Path(file), ShareKeyFile.read(Path(pem)))
    found = api.drill(shares)
    output.result("\n".join(_lines(found)), _document(found))
    problems = [f"{label}: {share.problem}" for label, share in found.shares.items() if share.problem]
    if problems or (not found.opens and len(shares) >= found.threshold):
        raise DrillFailed(
            "a recovery with these shares would fail", found="; ".join(problems) or "the state did not open"
        )


def _share(file: Path, key: "ShareKey | None") -> "DrillShare":
    from sealmesh.client import open_share
    from sealmesh.client.drill import DrillShare

    plain = open_share(read_file(file), key)
    return DrillShare(secret=plain, signature=b"" if key is None else key.sign(plain))


def _lines(found: "Drill") -> list[str]:
    lines = [
        f"{label}: {share.problem or 'a share of this state'}{f', of {share.owner}' if share.owner else ''}"
        for label, share in found.shares.items()
    ]
    if found.passed:
        lines.append("The whole state opened with these shares. Nothing was changed.")
    elif not found.opens:
        lines.append(f"A recovery takes {found.threshold} of {found.owners} shares. Nothing was changed.")
    return lines + ([found.remark] if found.remark else [])


def _document(found: "Drill") -> dict[str, object]:
    return {
        "passed": found.passed,
        "opens": found.opens,
        "owners": found.owners,
        "threshold": found.threshold,
        "remark": found.remark,
        "shares": {
            label: {"problem": share.problem, "owner": share.owner} for label, share in found.shares.items()
        },
    }
