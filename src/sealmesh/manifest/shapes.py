"""Which fields the manifest's objects have (COMPAT sections 8 and 9; our additions: DESIGN section 6)."""

from sealmesh.manifest.evidence_shapes import EVIDENCE_SHAPES
from sealmesh.manifest.fields import (
    BYTES,
    FLAG,
    TEXT,
    TEXTS,
    Field,
    Schema,
    Shape,
    listed,
    named,
    ref,
    shape,
    unsigned,
)
from sealmesh.manifest.limits import MAX_EVIDENCE_FORMS, MAX_LIFETIME, MAX_VALID_FOR_DAYS, MIN_LIFETIME
from sealmesh.manifest.model import Action, FeatureGate, GovernedAct, ResourceType, SealMode, SecretType

_COUNT = unsigned(64)
_FMSPC = {"type": "string", "pattern": "^[0-9a-fA-F]{12}$"}
_PLATFORM_ID = {"type": "string", "pattern": "^([0-9a-fA-F]{32}|[0-9a-fA-F]{66}|[0-9a-fA-F]{128})$"}
_PEM = {"type": "string", "pattern": "-----BEGIN "}


def _enum(values: object) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}  # type: ignore[attr-defined]


PACKAGE = shape(
    "Package",
    "One program, by its measurement (`UniqueID`) or by its signer, product and lowest version.",
    {
        "Debug": Field(
            schema=FLAG, about="The enclave is a debug one: its memory can be read. Testing only."
        ),
        "UniqueID": Field(schema=TEXT, about="MRENCLAVE in hex: exactly this build."),
        "SignerID": Field(schema=TEXT, about="MRSIGNER in hex: whoever holds this signing key."),
        "ProductID": Field(schema=_COUNT, about="The signer's number for the product; must be equal."),
        "SecurityVersion": Field(schema=_COUNT, about="Lowest version that is let in."),
        "AcceptedTCBStatuses": Field(
            schema=TEXTS,
            about="Platform states besides `UpToDate` that are let in; default `SWHardeningNeeded`.",
        ),
        "AcceptedAdvisories": Field(schema=TEXTS, about="Security advisories that are put up with."),
        "Evidence": Field(
            schema={**listed(ref("Evidence")), "minItems": 1, "maxItems": MAX_EVIDENCE_FORMS},
            about="The forms of Evidence that are accepted, of any TEE; instead of all the other fields.",
            gate=FeatureGate.EVIDENCE,
        ),
    },
)

INFRASTRUCTURE = shape(
    "Infrastructure",
    "A kind of machine, or single ones. A Marble is let in only on a machine that fits one infrastructure.",
    {
        "QESVN": Field(schema=unsigned(16), about="Lowest version of the quoting enclave (SGX, TDX)."),
        "PCESVN": Field(schema=unsigned(16), about="Lowest version of the PCE (SGX, TDX)."),
        "CPUSVN": Field(schema=BYTES, about="The processor's version, 16 bytes as in the quote (SGX, TDX)."),
        "RootCA": Field(schema=BYTES, about="The root certificate, PEM or DER, or its SHA-256 (all TEEs)."),
        "FMSPCs": Field(
            schema=listed(_FMSPC), about="Kinds of platforms, in hex (SGX, TDX).", gate=FeatureGate.EVIDENCE
        ),
        "PlatformIDs": Field(
            schema=listed(_PLATFORM_ID),
            about="Single machines, in hex: PPIDs (SGX, TDX), chip IDs (SNP), instance IDs (CCA).",
            gate=FeatureGate.EVIDENCE,
        ),
        "Regions": Field(
            schema=TEXTS, about="Regions, as the cloud names them (Nitro).", gate=FeatureGate.EVIDENCE
        ),
    },
)

PARAMETER = shape(
    "Parameter",
    "A file or variable with an encoding.",
    {
        "Data": Field(schema=TEXT, about="The content, encoded as `Encoding` says."),
        "Encoding": Field(
            schema={
                "type": "string",
                "pattern": "^([sS][tT][rR][iI][nN][gG]|[bB][aA][sS][eE]64|[hH][eE][xX])?$",
            },
            about="`string` (default), `base64` or `hex`; decoded before templates run.",
        ),
        "NoTemplates": Field(schema=FLAG, about="Leave `{{ ... }}` in it alone."),
    },
)

_PARAMETER: Schema = {"oneOf": [TEXT, ref("Parameter")]}

PARAMETERS = shape(
    "Parameters",
    "What the program is given.",
    {
        "Files": Field(schema=named(_PARAMETER), about="Path to content; written with mode 0600."),
        "Env": Field(schema=named(_PARAMETER), about="Variable to value; no NUL."),
        "Argv": Field(schema=TEXTS, about="Arguments with the program's name first; not a template."),
    },
)

CERTIFICATE = shape(
    "Certificate",
    "How this type's certificates are issued.",
    {
        "Lifetime": Field(
            schema={
                "oneOf": [
                    {
                        "type": "integer",
                        "minimum": int(MIN_LIFETIME.total_seconds()),
                        "maximum": int(MAX_LIFETIME.total_seconds()),
                    },
                    {"type": "string", "pattern": r"^([0-9]+(\.[0-9]*)?(ms|s|m|h))+$"},
                ]
            },
            about="Seconds, or a duration such as `24h` or `1h30m`; for both ways of enrolment.",
        )
    },
)

MARBLE = shape(
    "Marble",
    "One type of service.",
    {
        "Package": Field(schema=TEXT, about="Which package it runs."),
        "MaxActivations": Field(schema=_COUNT, about="How often it may be admitted in all; 0: no limit."),
        "Parameters": Field(schema=ref("Parameters"), about="Files, environment and arguments."),
        "TLS": Field(schema=TEXTS, about="TLS tags that apply to it."),
        "DisableSecretBinding": Field(
            schema=FLAG,
            about="Derive its private keys without the type's name, so that types can share them.",
        ),
        "Names": Field(
            schema=TEXTS,
            about="DNS names and addresses that its certificates carry, and no others.",
            gate=FeatureGate.NAMES,
        ),
        "Certificate": Field(
            schema=ref("Certificate"), about="How its certificates are issued.", gate=FeatureGate.CERTIFICATE
        ),
    },
    required=("Package",),
)

SUBJECT = shape(
    "Subject",
    "The subject of a certificate secret.",
    {
        "CommonName": Field(schema=TEXT, about="CN"),
        "SerialNumber": Field(schema=TEXT, about="serialNumber"),
        "Country": Field(schema=TEXTS, about="C, two letters each"),
        "Organization": Field(schema=TEXTS, about="O"),
        "OrganizationalUnit": Field(schema=TEXTS, about="OU"),
        "Locality": Field(schema=TEXTS, about="L"),
        "Province": Field(schema=TEXTS, about="ST"),
        "StreetAddress": Field(schema=TEXTS, about="street"),
        "PostalCode": Field(schema=TEXTS, about="postal code"),
    },
)

URI = shape(
    "URI",
    "A URI in parts.",
    {
        "Scheme": Field(schema=TEXT, about="For example `spiffe`."),
        "Opaque": Field(schema=TEXT, about="What follows the scheme of a URI without `//`."),
        "Host": Field(schema=TEXT, about="Host, or host:port."),
        "Path": Field(schema=TEXT, about="Path, not escaped."),
        "RawQuery": Field(schema=TEXT, about="Query without `?`, escaped."),
        "Fragment": Field(schema=TEXT, about="Fragment without `#`, not escaped."),
    },
)

CERTIFICATE_TEMPLATE = shape(
    "CertificateTemplate",
    "What stands in a certificate secret: fields of Go's `x509.Certificate`.",
    {
        "Subject": Field(schema=ref("Subject"), about="Default: the one DNS name as CN."),
        "DNSNames": Field(schema=TEXTS, about="Default `localhost`."),
        "IPAddresses": Field(schema=TEXTS, about="Default 127.0.0.1 and ::1."),
        "EmailAddresses": Field(schema=TEXTS, about="E-mail addresses."),
        "URIs": Field(schema=listed(ref("URI")), about="URIs, each in parts."),
        "KeyUsage": Field(
            schema={"type": "integer", "minimum": 0, "maximum": 511},
            about="Bits: 1 digitalSignature, 2 contentCommitment, 4 keyEncipherment, 8 dataEncipherment, "
            "16 keyAgreement, 32 keyCertSign, 64 cRLSign, 128 encipherOnly, 256 decipherOnly.",
        ),
        "ExtKeyUsage": Field(
            schema=listed({"type": "integer", "minimum": 0, "maximum": 13}),
            about="0 any, 1 server, 2 client, 3 code signing, 4 e-mail, 8 time stamping, 9 OCSP signing.",
        ),
        "IsCA": Field(schema=FLAG, about="The certificate may issue others."),
        "MaxPathLen": Field(schema={"type": "integer", "minimum": -1}, about="Path length of a CA."),
        "MaxPathLenZero": Field(schema=FLAG, about="Take a `MaxPathLen` of 0 as given."),
        "NotAfter": Field(
            schema={"type": "string", "format": "date-time"}, about="End, RFC 3339; not with `ValidFor`."
        ),
    },
    ignored=frozenset({"SerialNumber", "NotBefore", "BasicConstraintsValid"}),
)

SECRET = shape(
    "Secret",
    "A key, certificate or value.",
    {
        "Type": Field(schema=_enum(SecretType), about="What kind of secret."),
        "Size": Field(schema=_COUNT, about="Bits of the key."),
        "Shared": Field(schema=FLAG, about="One value for all Marbles; otherwise each Marble has its own."),
        "UserDefined": Field(schema=FLAG, about="A user uploads it; nothing is generated."),
        "ValidFor": Field(
            schema={"type": "integer", "minimum": 0, "maximum": MAX_VALID_FOR_DAYS},
            about="Days that a generated certificate is valid; default 365.",
        ),
        "Cert": Field(schema=ref("CertificateTemplate"), about="What stands in a generated certificate."),
    },
    required=("Type",),
)

USER = shape(
    "User",
    "A person or machine that may act on the Coordinator.",
    {
        "Certificate": Field(schema=_PEM, about="PEM; the user is known by exactly this certificate."),
        "Roles": Field(schema=TEXTS, about="Names of roles."),
    },
    required=("Certificate",),
)

ROLE = shape(
    "Role",
    "Actions on resources.",
    {
        "ResourceType": Field(schema=_enum(ResourceType), about="What the role is about."),
        "ResourceNames": Field(schema=TEXTS, about="Packages or secrets by name; empty for `Manifest`."),
        "Actions": Field(
            schema=TEXTS, about=f"Of {', '.join(f'`{action}`' for action in Action)}, in any case."
        ),
    },
    required=("ResourceType",),
)

INCOMING = shape(
    "Incoming",
    "A port that the program listens on.",
    {
        "Port": Field(schema=TEXT, about="The port, as a text."),
        "Cert": Field(schema=TEXT, about="A certificate secret to show instead of the Marble's certificate."),
        "DisableClientAuth": Field(schema=FLAG, about="Let callers in without a certificate; needs `Cert`."),
    },
    required=("Port",),
)

OUTGOING = shape(
    "Outgoing",
    "An address that the program dials.",
    {
        "Addr": Field(schema=TEXT, about="Name or address."),
        "Port": Field(schema=TEXT, about="The port, as a text."),
    },
    required=("Addr", "Port"),
)

TLS_TAG = shape(
    "TLSTag",
    "Connections that are wrapped in TLS.",
    {
        "Incoming": Field(schema=listed(ref("Incoming")), about="Ports that are listened on."),
        "Outgoing": Field(schema=listed(ref("Outgoing")), about="Addresses that are dialled."),
    },
)

CONFIG = shape(
    "Config",
    "Settings of the Coordinator.",
    {
        "SealMode": Field(schema=_enum(SealMode), about="How the state's key is sealed."),
        "FeatureGates": Field(
            schema=TEXTS, about=f"Of {', '.join(f'`{gate}`' for gate in FeatureGate)}, in any case."
        ),
        "UpdateThreshold": Field(schema=_COUNT, about="Users who must agree to an update; 0: all who may."),
        "RecoveryThreshold": Field(schema=_COUNT, about="Shares needed for a recovery; 0: all."),
        "RotateRootSecret": Field(schema=FLAG, about="Updates make new keys."),
    },
)

ACCESS_RULE = shape(
    "AccessRule",
    "Who may connect to whom.",
    {
        "From": Field(
            schema={"type": "array", "items": TEXT, "minItems": 1},
            about="Marble types, `@mesh` (any Marble of this mesh) or `@anyone` (also without certificate).",
        ),
        "To": Field(schema=TEXT, about="A Marble type, or `@mesh` for all."),
        "Ports": Field(
            schema={
                "type": "array",
                "items": {"type": "string", "pattern": r"^(\*|[0-9]{1,5}(-[0-9]{1,5})?)$"},
                "minItems": 1,
            },
            about='`"8443"`, `"8000-8010"` or `"*"`.',
        ),
    },
    required=("From", "To", "Ports"),
)

APPROVER = shape(
    "Approver",
    "One person who may approve, however many keys he has.",
    {"Keys": Field(schema={**listed(_PEM), "minItems": 1}, about="Public keys or certificates, PEM.")},
    required=("Keys",),
)

APPROVAL_RULE = shape(
    "ApprovalRule",
    "How many have to approve.",
    {
        "Threshold": Field(schema={**_COUNT, "minimum": 1}, about="How many different people."),
        "Approvers": Field(schema=TEXTS, about="Of whom; without it all approvers."),
    },
    required=("Threshold",),
)

GOVERNANCE = shape(
    "Governance",
    "What is reserved to several, in addition to roles and `UpdateThreshold`.",
    {
        "Approvers": Field(schema=named(ref("Approver")), about="People, by name."),
        "Rules": Field(
            schema={**named(ref("ApprovalRule")), "propertyNames": _enum(GovernedAct)},
            about=f"By act: {', '.join(f'`{act}`' for act in GovernedAct)}.",
        ),
    },
    required=("Approvers", "Rules"),
)

MANIFEST = shape(
    "Manifest",
    "A sealmesh manifest: which software makes up the application, and who may decide about it.",
    {
        "Packages": Field(schema={**named(ref("Package")), "minProperties": 1}, about="Software, by name."),
        "Infrastructures": Field(schema=named(ref("Infrastructure")), about="Hardware, by name."),
        "Marbles": Field(schema={**named(ref("Marble")), "minProperties": 1}, about="Services, by type."),
        "Secrets": Field(schema=named(ref("Secret")), about="Secrets, by name."),
        "Users": Field(schema=named(ref("User")), about="Users, by name."),
        "Roles": Field(schema=named(ref("Role")), about="Roles, by name."),
        "RecoveryKeys": Field(schema=named(_PEM), about="RSA public keys (PEM), by owner."),
        "TLS": Field(schema=named(ref("TLSTag")), about="TLS tags, by name."),
        "Config": Field(schema=ref("Config"), about="Settings of the Coordinator."),
        "Access": Field(
            schema=listed(ref("AccessRule")),
            about="Who may call whom; what is not listed is refused.",
            gate=FeatureGate.ACCESS,
        ),
        "Governance": Field(
            schema=ref("Governance"),
            about="Who has to approve what.",
            gate=FeatureGate.GOVERNANCE,
        ),
        "Simulation": Field(
            schema=FLAG,
            about="Accept Evidence of simulated hardware. It protects nothing.",
            gate=FeatureGate.SIMULATION,
        ),
    },
    required=("Packages", "Marbles"),
)

SHAPES: tuple[Shape, ...] = (
    PACKAGE,
    INFRASTRUCTURE,
    MARBLE,
    PARAMETERS,
    PARAMETER,
    CERTIFICATE,
    SECRET,
    CERTIFICATE_TEMPLATE,
    SUBJECT,
    URI,
    USER,
    ROLE,
    TLS_TAG,
    INCOMING,
    OUTGOING,
    CONFIG,
    ACCESS_RULE,
    GOVERNANCE,
    APPROVER,
    APPROVAL_RULE,
    *EVIDENCE_SHAPES,
)
