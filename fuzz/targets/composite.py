"""several pieces of Evidence in one."""

from fuzz.evidence import evidence_target

TARGET = evidence_target("composite", words=(b"sealmesh/composite/v1", b"parts"))
