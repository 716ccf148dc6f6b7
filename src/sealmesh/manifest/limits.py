"""Every bound on a manifest, with its reason.

Before there is a manifest anybody may try to set one, so that each bound also limits what a stranger
can make a Coordinator do.
"""

from datetime import timedelta

MAX_MANIFEST_BYTES = 16 * 1024 * 1024
"""The document is held, hashed, sealed and sent as a whole; MarbleRun takes three megabytes in the
recorded contract, and files in it may be sizeable."""

MAX_DEPTH = 100
"""Nested arrays and objects. The deepest legal path has 8; the reader recurses once per level."""

MAX_VALUES = 500_000
"""Values in one document, for memory: one costs about 200 bytes while parsing. A thousand Marbles with
a hundred parameters each stay below."""

MAX_VIOLATIONS = 200
"""More are of no use to a reader, and each costs the finding of its line."""

MAX_NAME_CHARACTERS = 256
"""Names become parts of certificates, log lines and metric labels."""

MAX_EVIDENCE_FORMS = 16
"""Forms of Evidence of one package: each is compared at every admission, and a refusal names what all of them
refused."""

MIN_RSA_BITS = 2048
"""For keys that sealmesh makes or encrypts to (NIST SP 800-131A); lenient parsing takes 1024."""

MIN_RSA_BITS_LENIENT = 1024
"""What MarbleRun accepts."""

MAX_RSA_BITS = 8192
"""Making a key takes time with the fourth power of its size: a minute for 8192 bits."""

MAX_RSA_WORK = 4096
"""Sum over generated RSA secrets, a 2048-bit key counting 1 and an 8192-bit key 256: setting a manifest
must end."""

MAX_PRIVATE_KEY_BITS = 65280
"""HKDF-SHA256 yields at most 255 blocks of 256 bits (RFC 5869, section 2.3)."""

MAX_SHARED_KEY_BITS = 8 * 1024 * 1024
"""One mebibyte: a Marble gets its secrets in one message of at most 4 MiB."""

MAX_SHARED_KEYS_BITS = 64 * 1024 * 1024
"""Eight mebibytes for all shared keys together, because all of them are drawn and sealed at once."""

MAX_VALID_FOR_DAYS = 365_000
"""A thousand years: beyond that an end date does not fit a certificate (year 9999)."""

DEFAULT_LIFETIME = timedelta(hours=24)
"""Of a certificate of our own enrolment. It is renewed while the Marble runs, so that short costs
nothing and limits what a stolen key is good for."""

DEFAULT_LEGACY_LIFETIME = timedelta(days=30)
"""Of a certificate of MarbleRun's `Activate`, which can be renewed only by starting the Marble again."""

MIN_LIFETIME = timedelta(seconds=10)
"""Below that a renewal cannot be relied on to end in time, and clocks that differ by seconds refuse
valid certificates."""

MAX_LIFETIME = timedelta(days=398)
"""Revocation must end by itself. The longest that public authorities were allowed lately; a legacy
Marble has to be started again once a year."""

MAX_APPROVERS = 256
"""People who can be asked; their approvals are kept until they are used."""

MAX_KEYS_OF_APPROVER = 16
"""Each is tried for each approval."""

MAX_ACCESS_RULES = 10_000
"""The rules are looked through for every new connection."""

MAX_ACCESS_CALLERS = 100_000
"""Over all rules, for memory: every Marble holds them."""

MAX_PORT_RANGES = 1000
"""In one rule; there are only 65535 ports."""

MAX_ACCESS_BYTES = 1024 * 1024
"""All rules as JSON: they travel to every Marble in one message of at most 4 MiB."""
