"""The attested bookstore: four programs that know nothing of sealmesh, in six acts."""

from sealmesh.demo.bookstore.play import Report, perform

__all__ = ["Report", "perform"]
