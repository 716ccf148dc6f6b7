"""SGX and TDX quotes with their collateral, changed at random: signed anew where we have the keys, or not."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import Encoding

from sealmesh.attestation import Family, TcbStatus
from sealmesh.attestation.dcap.ecdsa import encode_point, sign_raw
from sealmesh.attestation.simulated import (
    EndorsementPlan,
    SimulatedEnclave,
    SimulatedPlatform,
    SimulatedTd,
    SimulatedVendor,
    create_platform,
    create_vendor,
    td_quote,
)
from sealmesh.attestation.simulated.endorsements import qe_identity, sign_collateral, tcb_info, td_tcb_info

NOW = datetime(2031, 3, 1, 12, tzinfo=UTC)
HEADER, QE_REPORT, SIGNATURE, POINT = 48, 384, 64, 64
BODY = {Family.SGX: 384, Family.TDX: 584}
STATUSES = [str(status) for status in TcbStatus if status.name != "NOT_JUDGED"]
Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """Everything that one verification takes."""

    name: str
    family: Family
    quote: bytes
    collateral: dict[str, str]
    root: bytes
    now: datetime

    def but(self, how: str, **changes: Any) -> "Exhibit":
        return replace(self, name=f"{self.name}: {how}", **changes)


def recorded(directory: Path) -> list[Exhibit]:
    """Return the third-party cases, whose keys nobody here has."""
    cases = json.loads((directory / "cases.json").read_text())
    return [
        Exhibit(
            name=case["id"],
            family=Family(case["tee"]),
            quote=(directory / case["evidence"]).read_bytes(),
            collateral=json.loads((directory / case["collateral"]).read_text()),
            root=(directory / case["root"]).read_bytes(),
            now=datetime.fromisoformat(case["now"]),
        )
        for case in cases
        if case["tee"] in ("sgx", "tdx")
    ]


class Forge:
    """A vendor and a machine whose keys are ours: what it changes it signs anew."""

    def __init__(self, seed: int) -> None:
        entropy = Random(seed).randbytes
        self.vendor: SimulatedVendor = create_vendor(now=NOW, entropy=entropy)
        self.entropy = entropy
        self.platform: SimulatedPlatform = create_platform(self.vendor, now=NOW, entropy=entropy)
        self.plan = EndorsementPlan(issued=NOW - timedelta(hours=1))

    def exhibit(self, family: Family) -> Exhibit:
        return Exhibit(
            name=f"simulated {family}",
            family=family,
            quote=self.quote(self.platform, family),
            collateral=self.collateral(*self.documents(family)),
            root=self.vendor.root.certificate.public_bytes(Encoding.DER),
            now=NOW,
        )

    def documents(self, family: Family) -> tuple[Document, Document]:
        plain = qe_identity(self.plan)
        if family is Family.SGX:
            return tcb_info(self.plan), plain
        return td_tcb_info(self.plan), {**plain, "id": "TD_QE"}

    def collateral(self, tcb: Document, qe: Document, **plan: Any) -> dict[str, str]:
        signed = sign_collateral(self.vendor, replace(self.plan, **plan), tcb, qe)
        document: dict[str, str] = json.loads(signed)
        return document

    @staticmethod
    def quote(platform: SimulatedPlatform, family: Family) -> bytes:
        if family is Family.TDX:
            return td_quote(platform, SimulatedTd(mr_td=b"\5" * 48), bytes(64))
        enclave = SimulatedEnclave(
            unique_id=b"\1" * 32, signer_id=b"\2" * 32, product_id=7, security_version=3
        )
        return platform.quote(enclave, bytes(64))

    def body_signed_anew(self, random: Random, exhibit: Exhibit) -> Exhibit:
        """Change header or body, and let the attestation key sign that."""
        length = HEADER + BODY[exhibit.family]
        signed, place = _scribbled(random, exhibit.quote[:length])
        signature = sign_raw(self.platform.attestation_key, signed)
        rest = exhibit.quote[length : length + 4] + signature + exhibit.quote[length + 4 + SIGNATURE :]
        return exhibit.but(f"header or body at {place}, signed", quote=signed + rest)

    def qe_report_signed_anew(self, random: Random, exhibit: Exhibit) -> Exhibit:
        """Change the quoting enclave's report, and let the PCK key sign that."""
        start = exhibit.quote.index(encode_point(self.platform.attestation_key.public_key())) + POINT
        start += 6 if exhibit.family is Family.TDX else 0
        report, place = _scribbled(random, exhibit.quote[start : start + QE_REPORT])
        after = start + QE_REPORT + SIGNATURE
        quote = exhibit.quote[:start] + report + sign_raw(self.platform.pck.key, report)
        return exhibit.but(f"QE report at {place}, signed", quote=quote + exhibit.quote[after:])

    def document_signed_anew(self, random: Random, exhibit: Exhibit) -> Exhibit:
        """Change one thing in TCB info or QE identity, and let the vendor sign that."""
        tcb, qe = self.documents(exhibit.family)
        index = random.randrange(2)
        how = _change_document(random, (tcb, qe)[index])
        return exhibit.but(f"{('TCB info', 'QE identity')[index]} {how}", collateral=self.collateral(tcb, qe))

    def other_platform(self, random: Random, exhibit: Exhibit) -> Exhibit:
        """Make the quote on a machine with other versions, under levels around them."""
        components = tuple(random.choice((0, 1, 1, 1, 2)) for _ in range(16))
        platform = create_platform(
            self.vendor,
            now=NOW,
            entropy=self.entropy,
            components=components if random.random() < 0.7 else (1,) * 16,
            pce_svn=random.choice((0, 1, 1, 2, 300)),
            fmspc=random.choice((self.plan.fmspc, self.plan.fmspc, b"\x53\x49\x4d\0\0\1")),
        )
        tcb, qe = self.documents(exhibit.family)
        best = tcb["tcbLevels"][0]
        low = json.loads(json.dumps(best))
        low["tcbStatus"], low["advisoryIDs"] = random.choice(STATUSES), ["INTEL-SA-00001"]
        low["tcb"]["pcesvn"] = 0
        for component in low["tcb"]["sgxtcbcomponents"]:
            component["svn"] = 0
        tcb["tcbLevels"] = [best, low] if random.random() < 0.7 else [best]
        return exhibit.but(
            f"made on another machine {platform.identity.components}, {platform.identity.pce_svn}",
            quote=self.quote(platform, exhibit.family),
            collateral=self.collateral(tcb, qe),
        )

    def revoked(self, random: Random, exhibit: Exhibit) -> Exhibit:
        """Revoke a certificate, by its issuer or by the wrong list."""
        holders = (self.vendor.pck_ca, self.vendor.tcb_signer, self.platform.pck)
        serial = random.choice(holders).certificate.serial_number + random.choice((0, 0, 1))
        where = random.choice(("revoked_by_root", "revoked_by_ca"))
        documents = self.documents(exhibit.family)
        return exhibit.but(
            f"{where} {serial:x}", collateral=self.collateral(*documents, **{where: frozenset({serial})})
        )


def changed(random: Random, exhibit: Exhibit, others: Sequence[Exhibit]) -> Exhibit:
    """Change something without any key."""
    return random.choice(_KEYLESS)(random, exhibit, others)


def _quote_scribbled(random: Random, exhibit: Exhibit, _others: Sequence[Exhibit]) -> Exhibit:
    quote, place = _scribbled(random, exhibit.quote)
    return exhibit.but(f"quote at {place}", quote=quote)


def _quote_length(random: Random, exhibit: Exhibit, _others: Sequence[Exhibit]) -> Exhibit:
    if random.random() < 0.5:
        extra = random.choice((bytes(1), bytes(64), random.randbytes(random.randrange(1, 40))))
        return exhibit.but(f"{len(extra)} bytes more", quote=exhibit.quote + extra)
    length = random.randrange(len(exhibit.quote))
    return exhibit.but(f"cut to {length}", quote=exhibit.quote[:length])


def _part_scribbled(random: Random, exhibit: Exhibit, _others: Sequence[Exhibit]) -> Exhibit:
    name = random.choice(sorted(exhibit.collateral))
    text = exhibit.collateral[name]
    if set(text) <= set("0123456789abcdefABCDEF"):
        octets, place = _scribbled(random, bytes.fromhex(text))
        return exhibit.but(f"{name} at {place}", collateral={**exhibit.collateral, name: octets.hex()})
    place = random.randrange(len(text))
    letter = random.choice('0123456789ABCDEFabcdef \n{}[]:,"-+/=é')
    text = text[:place] + letter + text[place + 1 :]
    return exhibit.but(f"{name} at {place}", collateral={**exhibit.collateral, name: text})


def _part_of_another(random: Random, exhibit: Exhibit, others: Sequence[Exhibit]) -> Exhibit:
    other = random.choice(others)
    name = random.choice(sorted(exhibit.collateral))
    collateral = {**exhibit.collateral, name: other.collateral[name]}
    return exhibit.but(f"{name} of {other.name}", collateral=collateral)


def _whole_of_another(random: Random, exhibit: Exhibit, others: Sequence[Exhibit]) -> Exhibit:
    other = random.choice(others)
    changes = {name: getattr(other, name) for name in random.sample(("collateral", "root", "now"), 2)}
    return exhibit.but(f"{', '.join(changes)} of {other.name}", **changes)


def _another_time(random: Random, exhibit: Exhibit, _others: Sequence[Exhibit]) -> Exhibit:
    dates = [exhibit.now]
    for name in ("tcb_info", "qe_identity"):
        document = json.loads(exhibit.collateral[name])
        dates += (datetime.fromisoformat(document[field]) for field in ("issueDate", "nextUpdate"))
    now = random.choice(dates) + timedelta(seconds=random.choice((-86400, -1, 0, 1, 86400)))
    return exhibit.but(f"at {now}", now=now)


Keyless = Callable[[Random, Exhibit, Sequence[Exhibit]], Exhibit]
_KEYLESS: tuple[Keyless, ...] = (
    _quote_scribbled,
    _quote_scribbled,
    _quote_length,
    _part_scribbled,
    _part_scribbled,
    _part_of_another,
    _whole_of_another,
    _another_time,
)


def _scribbled(random: Random, octets: bytes) -> tuple[bytes, int]:
    forged = bytearray(octets)
    place = random.randrange(len(octets))
    if random.random() < 0.5:
        forged[place] ^= 1 << random.randrange(8)
        return bytes(forged), place
    width = min(random.choice((1, 2, 4, 8)), len(octets) - place)
    forged[place : place + width] = random.choice((bytes(width), b"\xff" * width, random.randbytes(width)))
    return bytes(forged), place


def _change_document(random: Random, document: Document) -> str:
    """Change a value somewhere in a document; return what."""
    owner: Any = document
    path = ""
    while True:
        key: Any = random.choice(list(owner) if isinstance(owner, dict) else range(len(owner)))
        path += f".{key}"
        if not isinstance(owner[key], dict | list) or not owner[key] or random.random() < 0.1:
            break
        owner = owner[key]
    if random.random() < 0.1:
        del owner[key]
        return f"without {path}"
    owner[key] = _other_value(random, key, owner[key])
    return f"{path} = {json.dumps(owner[key])[:60]}"


def _other_value(random: Random, key: Any, value: Any) -> Any:
    if key == "tcbStatus":
        return random.choice([*STATUSES, "Fine"])
    if isinstance(value, int):
        return random.choice((0, 1, 2, value + 1, 255, 256, 65536, -1, str(value)))
    if isinstance(value, str) and value.endswith("Z"):
        days = timedelta(days=random.choice((-40, -1, 1, 40)))
        return (datetime.fromisoformat(value) + days).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, str) and len(value) > 3:
        place = random.randrange(len(value))
        return value[:place] + random.choice("0123456789abcdefABCDEFG") + value[place + 1 :]
    if isinstance(value, list):
        return random.choice(([], value + value[-1:], value[::-1], None))
    return None


def fingerprint(der: bytes) -> bytes:
    """Return the SHA-256 of a certificate."""
    digest = Hash(SHA256())
    digest.update(der)
    return digest.finalize()
