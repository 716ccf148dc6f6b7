"""The TPM's algorithm identifiers. Source: TCG Algorithm Registry, table "TPM_ALG_ID Constants"."""

from enum import IntEnum

from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, Hash, HashAlgorithm


class Bank(IntEnum):
    """A hash algorithm, and the bank of PCRs that is kept with it."""

    SHA1 = 0x0004
    SHA256 = 0x000B
    SHA384 = 0x000C
    SHA512 = 0x000D

    @property
    def algorithm(self) -> HashAlgorithm:
        """The algorithm."""
        return _ALGORITHMS[self]

    @property
    def length(self) -> int:
        """How many bytes a digest has."""
        return self.algorithm.digest_size

    def digest(self, *parts: bytes) -> bytes:
        """Return the digest of the parts, one after the other."""
        digest = Hash(self.algorithm)
        for part in parts:
            digest.update(part)
        return digest.finalize()


_ALGORITHMS: dict[Bank, HashAlgorithm] = {
    Bank.SHA1: SHA1(),  # noqa: S303  (old event logs have such a bank; nothing trusts it)
    Bank.SHA256: SHA256(),
    Bank.SHA384: SHA384(),
    Bank.SHA512: SHA512(),
}


class Scheme(IntEnum):
    """A signature scheme."""

    RSASSA = 0x0014
    RSAPSS = 0x0016
    ECDSA = 0x0018


BANKS = frozenset(Bank)
SCHEMES = frozenset(Scheme)
RSA, ECC, NULL, AES, CFB = 0x0001, 0x0023, 0x0010, 0x0006, 0x0043
