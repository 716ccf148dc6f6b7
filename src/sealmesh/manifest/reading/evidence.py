"""Read the accepted forms of Evidence of a package into Reference Values."""

from collections.abc import Callable, Mapping

from sealmesh.attestation import (
    AllOf,
    AzureReference,
    CcaReference,
    GpuReference,
    NitroReference,
    Reference,
    SgxReference,
    SingleReference,
    SnpReference,
    TdxReference,
    TpmReference,
)
from sealmesh.attestation.reference import DEFAULT_TCB_STATUSES
from sealmesh.attestation.tpm import Bank
from sealmesh.manifest import evidence_shapes as shapes
from sealmesh.manifest.fields import Shape
from sealmesh.manifest.json_values import Array, JsonValue, Number, Text
from sealmesh.manifest.limits import MAX_EVIDENCE_FORMS
from sealmesh.manifest.reading.view import Reading, View
from sealmesh.manifest.report import Path, listing, quoted

_BANKS = {"": Bank.SHA256, "SHA256": Bank.SHA256, "SHA384": Bank.SHA384, "SHA512": Bank.SHA512}
_DIGEST = (32, 48, 64)
_MAX_INDEX = 255


class EvidenceView:
    """One object of Reference Values; getters report what is wrong and then return "not given"."""

    __slots__ = ("reading", "view")

    def __init__(self, reading: Reading, view: View) -> None:
        self.reading = reading
        self.view = view

    def octets(self, name: str, *lengths: int) -> bytes | None:
        """Return hexadecimal text as bytes of one of these lengths."""
        if not self.view.has(name):
            return None
        return self._octets(self.view.text(name), self.view.at(name), lengths)

    def octets_list(self, name: str, *lengths: int) -> frozenset[bytes] | None:
        """Return a list of them."""
        texts = self.view.optional_texts(name)
        if texts is None:
            return None
        at = self.view.at(name)
        found = [self._octets(text, (*at, index), lengths) for index, text in enumerate(texts)]
        if not found:
            self.refuse("evidence.bad-value", at, "An empty list accepts nothing.")
        return frozenset(value for value in found if value is not None)

    def registers(self, name: str, *lengths: int) -> dict[int, bytes]:
        """Return hexadecimal texts by number."""
        found = {}
        for key, path, value in self.view.named(name):
            index, octets = self._index(key, path), self._octets(_text(value), path, lengths)
            if index is not None and octets is not None:
                found[index] = octets
        return found

    def register_lists(self, name: str, *lengths: int) -> dict[int, frozenset[bytes]]:
        """Return lists of hexadecimal texts by number."""
        found = {}
        for key, path, value in self.view.named(name):
            index = self._index(key, path)
            items = value.items if isinstance(value, Array) else ()
            if not items:
                self.refuse("evidence.bad-value", path, "This is a list with at least one value.")
                continue
            octets = [
                self._octets(_text(item), (*path, number), lengths) for number, item in enumerate(items)
            ]
            if index is not None:
                found[index] = frozenset(value for value in octets if value is not None)
        return found

    def numbers(self, name: str) -> dict[str, int]:
        """Return numbers of 8 bits by name."""
        found = {}
        for key, path, value in self.view.named(name):
            if isinstance(value, Number) and value.text.isdecimal() and int(value.text) <= _MAX_INDEX:
                found[key] = int(value.text)
            else:
                self.refuse("evidence.bad-value", path, f"This is a whole number from 0 to {_MAX_INDEX}.")
        return found

    def statuses(self) -> frozenset[str]:
        """Return the accepted TCB statuses."""
        given = self.view.optional_texts("AcceptedTCBStatuses")
        return frozenset(map(str, DEFAULT_TCB_STATUSES)) if given is None else frozenset(given)

    def texts(self, name: str) -> frozenset[str] | None:
        """Return a list of texts, None where it is absent."""
        given = self.view.optional_texts(name)
        return None if given is None else frozenset(given)

    def refuse(self, code: str, path: Path, message: str, remedy: str = "") -> None:
        """Report a violation."""
        self.reading.report.add(code, path, message, remedy=remedy)

    def _octets(self, text: str, path: Path, lengths: tuple[int, ...]) -> bytes | None:
        """Return hexadecimal text as bytes; no length given: any."""
        if text and len(text) % 2 == 0 and set(text.lower()) <= set("0123456789abcdef"):
            octets = bytes.fromhex(text)
            if not lengths or len(octets) in lengths:
                return octets
        wanted = " or ".join(str(2 * length) for length in lengths)
        message = f"{quoted(text)} is not {wanted or 'pairs of'} hexadecimal digits."
        self.refuse("evidence.bad-hex", path, message, "Nothing could ever equal it.")
        return None

    def _index(self, key: str, path: Path) -> int | None:
        if key.isdecimal() and key.isascii() and str(int(key[:9])) == key and int(key) <= _MAX_INDEX:
            return int(key)
        self.refuse("evidence.bad-value", path, f"{quoted(key)} is not the number of a register.")
        return None


def _text(value: JsonValue) -> str:
    return value.value if isinstance(value, Text) else ""


def read_evidence(reading: Reading, view: View) -> tuple[Reference, ...] | None:
    """Read a package's list; None where it is absent."""
    items = view.items("Evidence")
    if items is None:
        return None
    if not items:
        reading.report.add(
            "evidence.none", view.at("Evidence"), "An empty list accepts nothing.", remedy="Leave it out."
        )
    if len(items) > MAX_EVIDENCE_FORMS:
        reading.report.add(
            "evidence.too-many",
            view.at("Evidence"),
            f"{len(items)} forms of Evidence; a package has at most {MAX_EVIDENCE_FORMS}.",
            remedy="Several values of one field can be several packages, or a key that signs them.",
        )
        return ()
    found = (_read_alternative(reading, value, path) for path, value in items)
    return tuple(reference for reference in found if reference is not None)


def _read_alternative(reading: Reading, value: JsonValue, path: Path) -> Reference | None:
    view = View(reading, value, path, shapes.EVIDENCE)
    name = _only_family(reading, view, path, ("AllOf", *_READERS))
    if name != "AllOf":
        return None if name is None else _read_family(reading, view, name)
    items = view.items("AllOf") or []
    parts = [_read_part(reading, part, at) for at, part in items]
    try:
        return None if None in parts else AllOf(parts=tuple(part for part in parts if part is not None))
    except ValueError as error:
        reading.report.add("evidence.all-of", view.at("AllOf"), f"This cannot be one machine: {error}.")
        return None


def _read_part(reading: Reading, value: JsonValue, path: Path) -> SingleReference | None:
    view = View(reading, value, path, shapes.PART)
    name = _only_family(reading, view, path, tuple(_READERS))
    return None if name is None else _read_family(reading, view, name)


def _only_family(reading: Reading, view: View, path: Path, known: tuple[str, ...]) -> str | None:
    named = [name for name in known if view.has(name)]
    if len(named) == 1:
        return named[0]
    reading.report.add(
        "evidence.one-family",
        path,
        f"{listing(named) if named else 'Nothing'} stands here; each form of Evidence is of one family.",
        remedy=f"Write one entry of the list for each. There are: {listing(known, limit=12)}.",
    )
    return None


def _read_family(reading: Reading, view: View, name: str) -> SingleReference | None:
    shape, read = _READERS[name]
    inner = EvidenceView(reading, view.view(name, shape))
    before = reading.report.faults
    try:
        reference = read(inner)
    except ValueError as error:
        inner.refuse("evidence.bad-value", view.at(name), f"Nothing could ever equal this: {error}.")
        return None
    if not _names_software(reference) and reading.report.faults == before:
        inner.refuse(
            "evidence.no-identity",
            view.at(name),
            "This does not say which software it is.",
            "`sealmesh evidence explain` prints the values of a piece of Evidence.",
        )
    return reference


def _names_software(reference: SingleReference) -> bool:
    """Tell whether a reference means some software; of SGX only together with who made it."""
    if isinstance(reference, SgxReference) and not reference.debug and reference.unique_id is None:
        by_signer = (reference.signer_id, reference.product_id, reference.security_version)
        return None not in by_signer
    return not reference.is_empty


def _read_sgx(given: EvidenceView) -> SgxReference:
    return SgxReference(
        unique_id=given.octets("UniqueID", 32),
        signer_id=given.octets("SignerID", 32),
        product_id=given.view.optional_unsigned("ProductID", bits=16),
        security_version=given.view.optional_unsigned("SecurityVersion", bits=16),
        debug=given.view.flag("Debug"),
        accepted_tcb_statuses=given.statuses(),
        accepted_advisories=given.texts("AcceptedAdvisories"),
    )


def _read_tdx(given: EvidenceView) -> TdxReference:
    return TdxReference(
        mr_td=given.octets("MRTD", 48),
        rtmrs=tuple(given.octets(f"RTMR{index}", 48) for index in range(4)),
        mr_config_id=given.octets("MRConfigID", 48),
        mr_owner=given.octets("MROwner", 48),
        mr_owner_config=given.octets("MROwnerConfig", 48),
        mr_seams=given.octets_list("MRSEAM", 48),
        mr_service_td=given.octets("MRServiceTD", 48),
        attributes=given.octets("Attributes", 8),
        xfam=given.octets("XFAM", 8),
        tee_tcb_svn=given.octets("TEETCBSVN", 16),
        sept_ve_disable=None if given.view.flag("AllowVE") else True,
        debug=given.view.flag("Debug"),
        accepted_tcb_statuses=given.statuses(),
        accepted_advisories=given.texts("AcceptedAdvisories"),
    )


def _read_snp(given: EvidenceView) -> SnpReference:
    return SnpReference(
        measurement=given.octets("Measurement", 48),
        id_key_digest=given.octets("IDKeyDigest", 48),
        author_key_digest=given.octets("AuthorKeyDigest", 48),
        host_data=given.octets("HostData", 32),
        family_id=given.octets("FamilyID", 16),
        image_id=given.octets("ImageID", 16),
        guest_svn=given.view.optional_unsigned("GuestSVN", bits=32),
        vmpl=given.view.optional_unsigned("VMPL", bits=2) or 0,
        minimum_tcb=given.numbers("MinimumTCB"),
        migration_agent=given.view.flag("MigrationAgent"),
        smt=False if given.view.flag("DenySMT") else None,
        debug=given.view.flag("Debug"),
    )


def _read_nitro(given: EvidenceView) -> NitroReference:
    return NitroReference(pcrs=given.registers("PCRs", 48), debug=given.view.flag("Debug"))


def _read_tpm(given: EvidenceView) -> TpmReference:
    name = given.view.text("Bank")
    if name not in _BANKS:
        given.refuse(
            "evidence.bad-value", given.view.at("Bank"), f"{quoted(name)} is not SHA256, SHA384 or SHA512."
        )
    bank = _BANKS.get(name, Bank.SHA256)
    return TpmReference(
        bank=bank,
        pcrs=given.registers("PCRs", bank.length),
        events=given.register_lists("Events", bank.length),
    )


def _read_azure(given: EvidenceView) -> AzureReference:
    readers: Mapping[str, Callable[[EvidenceView], SnpReference | TdxReference]] = {
        "SNP": _read_snp,
        "TDX": _read_tdx,
    }
    named = [name for name in readers if given.view.has(name)]
    if len(named) != 1:
        raise ValueError("an Azure VM has a paravisor on SNP or on TDX")
    inner = EvidenceView(given.reading, given.view.view(named[0], _READERS[named[0]][0]))
    return AzureReference(
        paravisor=readers[named[0]](inner),
        pcrs=given.registers("PCRs", 32),
        secure_boot=True if given.view.flag("SecureBoot") else None,
    )


def _read_cca(given: EvidenceView) -> CcaReference:
    return CcaReference(
        rim=given.octets("RIM", *_DIGEST),
        rems=tuple(given.octets(f"REM{index}", *_DIGEST) for index in range(4)),
        personalization=given.octets("Personalization", 64),
        implementation_ids=given.octets_list("ImplementationIDs", 32),
        firmware=given.octets_list("Firmware", *_DIGEST),
        firmware_signers=given.octets_list("FirmwareSigners", *_DIGEST),
        debug=given.view.flag("Debug"),
    )


def _read_gpu(given: EvidenceView) -> GpuReference:
    return GpuReference(
        drivers=given.texts("Drivers"),
        vbioses=given.texts("VBIOSes"),
        mode=given.view.optional_unsigned("Mode", bits=16),
        measurements=given.register_lists("Measurements"),
    )


_READERS: Mapping[str, tuple[Shape, Callable[[EvidenceView], SingleReference]]] = {
    "SGX": (shapes.SGX, _read_sgx),
    "TDX": (shapes.TDX, _read_tdx),
    "SNP": (shapes.SNP, _read_snp),
    "Nitro": (shapes.NITRO, _read_nitro),
    "TPM": (shapes.TPM, _read_tpm),
    "Azure": (shapes.AZURE, _read_azure),
    "CCA": (shapes.CCA, _read_cca),
    "GPU": (shapes.GPU, _read_gpu),
}
