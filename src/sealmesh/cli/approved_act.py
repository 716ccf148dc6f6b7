"""What an approval is for: the options that say it, as one act on one subject."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sealmesh.cli.files import read_file
from sealmesh.cli.manifest_file import manifest_bytes
from sealmesh.errors.cli import UsageError

if TYPE_CHECKING:
    from sealmesh.client.governance import GovernanceInForce
    from sealmesh.manifest import GovernedAct


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedAct:
    """The options of `sealmesh approve make` that name the act and what it is done to."""

    act: str
    file: Path | None = None
    secrets: tuple[str, ...] = ()
    reader: str | None = None
    subject: str | None = None

    def kind(self) -> "GovernedAct":
        """Return the act.

        Raises:
            UsageError: There is none of this name.
        """
        from sealmesh.manifest import GovernedAct

        folded = {str(act).lower(): act for act in GovernedAct}
        found = folded.get(self.act.replace("-", "").lower())
        if found is None:
            raise UsageError("no such act", found=self.act, wanted=", ".join(GovernedAct))
        return found

    def digest(self, here: "GovernanceInForce") -> str:
        """Return the subject, in hex.

        Raises:
            UsageError: An option is missing for this act, or one is too many.
            FileProblem: The file cannot be read.
        """
        from sealmesh.coordinator import approvals
        from sealmesh.manifest import GovernedAct

        if self.subject is not None:
            return self._given(self.subject)
        match self.kind():
            case GovernedAct.UPDATE_MANIFEST | GovernedAct.UPDATE_PACKAGES | GovernedAct.CANCEL_UPDATE:
                return approvals.update_subject(manifest_bytes(self._file("the manifest or package update")))
            case GovernedAct.WRITE_SECRETS:
                from sealmesh.client import parse_secret_uploads

                uploads = parse_secret_uploads(
                    read_file(self._file("the values, as `secret set` takes them"))
                )
                return approvals.writing_subject(uploads, root=here.root)
            case GovernedAct.READ_SECRETS:
                if not self.secrets or self.reader is None:
                    raise UsageError(
                        "reading is approved for one user", wanted="--secret NAME and --reader USER"
                    )
                return approvals.reading_subject(self.reader, self.secrets)
            case GovernedAct.RECOVER:
                return approvals.recovery_subject(here.coordinator)
            case GovernedAct.RESET:
                return approvals.reset_subject(
                    here.coordinator, manifest_bytes(self._file("the new manifest"))
                )

    def _file(self, what: str) -> Path:
        if self.file is None:
            raise UsageError(f"nothing says what {self.act} is about", wanted=f"--file FILE, {what}")
        return self.file

    def _given(self, subject: str) -> str:
        if self.file is not None or self.secrets or self.reader is not None:
            raise UsageError("--subject and the options that it is computed from exclude each other")
        if len(subject) != 64 or not set(subject.lower()) <= set("0123456789abcdef"):
            raise UsageError("a subject is 64 hex digits", found=subject[:80])
        return subject.lower()
