"""Which fields the accepted forms of Evidence have: `Packages.<name>.Evidence` (feature gate `Evidence`)."""

from sealmesh.manifest.fields import FLAG, TEXTS, Field, Schema, Shape, listed, named, ref, shape, unsigned


def _hex(*lengths: int) -> Schema:
    forms = "|".join(f"[0-9a-fA-F]{{{2 * length}}}" for length in lengths)
    return {"type": "string", "pattern": f"^({forms})$"}


_SVN = unsigned(32)
_DIGEST = (32, 48, 64)
_DEBUG = Field(schema=FLAG, about="It must be a debug one: its memory can be read. Testing only.")
_TCB = {
    "AcceptedTCBStatuses": Field(
        schema=TEXTS, about="Platform states besides `UpToDate` that are let in; default `SWHardeningNeeded`."
    ),
    "AcceptedAdvisories": Field(
        schema=TEXTS, about="If given, no other security advisories are put up with, in any state."
    ),
}
_PCRS_48 = Field(schema=named(_hex(48)), about="Registers by number, in hex.")
_PCRS = Field(schema=named(_hex(*_DIGEST)), about="Registers by number, in hex.")

SGX = shape(
    "SGXEvidence",
    "An SGX enclave, by its measurement, or by its signer, product and lowest version.",
    {
        "UniqueID": Field(schema=_hex(32), about="MRENCLAVE: exactly this build."),
        "SignerID": Field(schema=_hex(32), about="MRSIGNER: whoever holds this signing key."),
        "ProductID": Field(schema=unsigned(16), about="The signer's number for the product; must be equal."),
        "SecurityVersion": Field(schema=unsigned(16), about="Lowest version that is let in."),
        "Debug": _DEBUG,
        **_TCB,
    },
)

TDX = shape(
    "TDXEvidence",
    "A TDX trust domain.",
    {
        "MRTD": Field(schema=_hex(48), about="Measurement of the firmware and what it was started with."),
        **{
            f"RTMR{index}": Field(schema=_hex(48), about=f"Runtime measurement {index}.")
            for index in range(4)
        },
        "MRConfigID": Field(schema=_hex(48), about="What whoever started it said about the configuration."),
        "MROwner": Field(schema=_hex(48), about="The owner, as whoever started it said."),
        "MROwnerConfig": Field(schema=_hex(48), about="The owner's configuration."),
        "MRSEAM": Field(schema=listed(_hex(48)), about="Measurements of the TDX module that are accepted."),
        "MRServiceTD": Field(
            schema=_hex(48), about="The service TD that is bound to it; without this there must be none."
        ),
        "Attributes": Field(schema=_hex(8), about="All attributes, as in the quote."),
        "XFAM": Field(schema=_hex(8), about="Processor features, as in the quote."),
        "TEETCBSVN": Field(schema=_hex(16), about="Lowest version of each part of the TDX module."),
        "AllowVE": Field(
            schema=FLAG, about="Also let in where the host can raise #VE in it (SEPT_VE_DISABLE is off)."
        ),
        "Debug": _DEBUG,
        **_TCB,
    },
)

SNP = shape(
    "SNPEvidence",
    "A SEV-SNP guest, by its launch digest, or by who signed its ID block.",
    {
        "Measurement": Field(schema=_hex(48), about="The launch digest."),
        "IDKeyDigest": Field(schema=_hex(48), about="The key that signed the ID block."),
        "AuthorKeyDigest": Field(schema=_hex(48), about="The key that signed the ID key."),
        "HostData": Field(schema=_hex(32), about="What the host gave at launch."),
        "FamilyID": Field(schema=_hex(16), about="Of the ID block."),
        "ImageID": Field(schema=_hex(16), about="Of the ID block."),
        "GuestSVN": Field(schema=_SVN, about="Lowest security version in the ID block."),
        "VMPL": Field(
            schema={"type": "integer", "minimum": 0, "maximum": 3}, about="Privilege level; default 0."
        ),
        "MinimumTCB": Field(
            schema={
                **named({"type": "integer", "minimum": 0, "maximum": 255}),
                "propertyNames": {"enum": ["fmc", "bl", "tee", "snp", "ucode"]},
            },
            about="Lowest version of parts of the firmware: `bl`, `tee`, `snp`, `ucode`, on Turin `fmc`.",
        ),
        "MigrationAgent": Field(schema=FLAG, about="Also let in with a migration agent bound to it."),
        "DenySMT": Field(schema=FLAG, about="Not on hosts with SMT."),
        "Debug": _DEBUG,
    },
)

NITRO = shape(
    "NitroEvidence",
    "An AWS Nitro Enclave, by PCR 0, 1, 2 (its image) or 8 (who signed it).",
    {"PCRs": _PCRS_48, "Debug": _DEBUG},
    required=("PCRs",),
)

TPM = shape(
    "TPMEvidence",
    "A machine measured by a TPM.",
    {
        "Bank": Field(
            schema={"type": "string", "enum": ["SHA256", "SHA384", "SHA512"]}, about="Default `SHA256`."
        ),
        "PCRs": _PCRS,
        "Events": Field(
            schema=named(listed(_hex(*_DIGEST))),
            about="By register, the digests that may be measured into it, in any order.",
        ),
    },
)

AZURE = shape(
    "AzureEvidence",
    "An Azure confidential VM: its paravisor by the hardware, its software by the vTPM.",
    {
        "SNP": Field(schema=ref("SNPEvidence"), about="The paravisor on SNP."),
        "TDX": Field(schema=ref("TDXEvidence"), about="The paravisor on TDX."),
        "PCRs": _PCRS,
        "SecureBoot": Field(schema=FLAG, about="Secure Boot must be on."),
    },
    required=("PCRs",),
)

CCA = shape(
    "CCAEvidence",
    "An Arm CCA realm.",
    {
        "RIM": Field(schema=_hex(*_DIGEST), about="The realm's initial measurement."),
        **{
            f"REM{index}": Field(schema=_hex(*_DIGEST), about=f"Extensible measurement {index}.")
            for index in range(4)
        },
        "Personalization": Field(schema=_hex(64), about="What the host gave at creation."),
        "ImplementationIDs": Field(schema=listed(_hex(32)), about="Kinds of platforms that are accepted."),
        "Firmware": Field(schema=listed(_hex(*_DIGEST)), about="Measurements that the platform may have."),
        "FirmwareSigners": Field(schema=listed(_hex(*_DIGEST)), about="Who may have signed its firmware."),
        "Debug": Field(schema=FLAG, about="The platform is not secured: it can be debugged. Testing only."),
    },
)

GPU = shape(
    "GPUEvidence",
    "An NVIDIA GPU or switch.",
    {
        "Drivers": Field(schema=TEXTS, about="Driver versions that are accepted."),
        "VBIOSes": Field(schema=TEXTS, about="VBIOS versions that are accepted, as `96.00.5E.00.01`."),
        "Mode": Field(schema=unsigned(16), about="The confidential computing mode's number."),
        "Measurements": Field(
            schema=named(listed({"type": "string", "pattern": "^([0-9a-fA-F]{2})+$"})),
            about="By index, the values that are accepted.",
        ),
    },
)

_FAMILIES = {
    "SGX": SGX,
    "TDX": TDX,
    "SNP": SNP,
    "Nitro": NITRO,
    "TPM": TPM,
    "Azure": AZURE,
    "CCA": CCA,
    "GPU": GPU,
}

PART = shape(
    "EvidencePart",
    "One part of a composite: exactly one family.",
    {name: Field(schema=ref(family.name), about=family.about) for name, family in _FAMILIES.items()},
)

EVIDENCE = shape(
    "Evidence",
    "One accepted form of Evidence: exactly one family, or `AllOf` for several together.",
    {
        **PART.fields,
        "AllOf": Field(
            schema={**listed(ref("EvidencePart")), "minItems": 2, "maxItems": 4},
            about="Several, bound together; the first is of the TEE whose software collected the others.",
        ),
    },
)

FORMS = shape(
    "EvidenceForms",
    "Accepted forms of Evidence, where no manifest is around them.",
    {"Evidence": Field(schema=listed(ref("Evidence")), about="The forms.")},
)

EVIDENCE_SHAPES: tuple[Shape, ...] = (EVIDENCE, PART, *_FAMILIES.values())
"""All that a manifest has."""
