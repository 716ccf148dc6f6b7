"""Reading DER: definite lengths in their shortest form, nothing left over.

Source: ITU-T X.690 sections 8.1 and 10.1. Errors are ValueErrors; those who read a whole document
turn them into their own.
"""

from datetime import UTC, datetime
from enum import IntEnum


class Tag(IntEnum):
    """The identifier octets that certificates and revocation lists use."""

    BOOLEAN = 0x01
    INTEGER = 0x02
    BIT_STRING = 0x03
    OCTET_STRING = 0x04
    OID = 0x06
    ENUMERATED = 0x0A
    UTF8_STRING = 0x0C
    PRINTABLE_STRING = 0x13
    IA5_STRING = 0x16
    UTC_TIME = 0x17
    GENERALIZED_TIME = 0x18
    SEQUENCE = 0x30
    SET = 0x31


class DerReader:
    """A cursor over the elements of one DER value."""

    __slots__ = ("_data", "_end", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0
        self._end = len(data)

    @property
    def tag(self) -> int:
        """The next element's identifier octet, or -1 at the end."""
        return self._data[self._offset] if self._offset < self._end else -1

    def element(self, tag: int) -> bytes:
        """Return the next element whole: identifier, length and content."""
        start = self._offset
        self.content(tag)
        return self._data[start : self._offset]

    def content(self, tag: int) -> bytes:
        """Return the content of the next element.

        Raises:
            ValueError: It has another tag, a length that is not DER, or does not end here.
        """
        if self.tag != tag:
            raise ValueError(f"tag {self.tag:#x} where {tag:#x} belongs")
        self._offset += 1
        length = self._length()
        if length > self._end - self._offset:
            raise ValueError("an element is longer than what holds it")
        start = self._offset
        self._offset += length
        return self._data[start : self._offset]

    def optional(self, tag: int) -> bytes | None:
        """Return the content of the next element if it has this tag."""
        return self.content(tag) if self.tag == tag else None

    def sequence(self) -> "DerReader":
        """Return a reader of the next element, a SEQUENCE."""
        return DerReader(self.content(Tag.SEQUENCE))

    def integer(self) -> int:
        """Return the next element, an INTEGER."""
        return read_integer(self.content(Tag.INTEGER))

    def finish(self) -> None:
        """Refuse elements that were not read.

        Raises:
            ValueError: Something is left over.
        """
        if self._offset != self._end:
            raise ValueError("bytes are left over")

    def _length(self) -> int:
        first = self._byte()
        if first < 0x80:
            return first
        count = first & 0x7F
        if not 1 <= count <= 4:
            raise ValueError("an indefinite or enormous length")
        length = 0
        for _ in range(count):
            length = length << 8 | self._byte()
        if length < 0x80 or length >> 8 * (count - 1) == 0:
            raise ValueError("a length that is not in its shortest form")
        return length

    def _byte(self) -> int:
        if self._offset >= self._end:
            raise ValueError("the data ends inside an element")
        self._offset += 1
        return self._data[self._offset - 1]


def read_integer(content: bytes) -> int:
    """Return the value of an INTEGER's content, which must be in its shortest form."""
    if not content or (len(content) > 1 and content[0] in (0, 0xFF) and content[0] >> 7 == content[1] >> 7):
        raise ValueError("an integer that is not in its shortest form")
    return int.from_bytes(content, "big", signed=True)


def read_boolean(content: bytes) -> bool:
    """Return the value of a BOOLEAN's content."""
    if content not in (b"\x00", b"\xff"):
        raise ValueError("a boolean that is neither")
    return content == b"\xff"


def read_whole_bits(content: bytes) -> bytes:
    """Return the bytes of a BIT STRING's content, which must have no unused bits."""
    if not content.startswith(b"\0"):
        raise ValueError("a bit string that is not of whole bytes")
    return content[1:]


def read_oid(content: bytes) -> str:
    """Return an OBJECT IDENTIFIER's content in dotted form; its parts fit into 32 bits."""
    parts: list[int] = []
    value, started = 0, False
    for octet in content:
        if not started and octet == 0x80:
            raise ValueError("an object identifier that is not in its shortest form")
        started, value = True, value << 7 | octet & 0x7F
        if value >> 32:
            raise ValueError("an object identifier with an enormous part")
        if not octet & 0x80:
            parts.append(value)
            value, started = 0, False
    if started or not parts:
        raise ValueError("an object identifier that does not end")
    first = min(parts[0] // 40, 2)
    return ".".join(map(str, (first, parts[0] - 40 * first, *parts[1:])))


def read_time(reader: DerReader) -> datetime:
    """Return the next element, a UTCTime or GeneralizedTime in UTC (RFC 5280 section 4.1.2.5)."""
    short = reader.tag == Tag.UTC_TIME
    text = reader.content(Tag.UTC_TIME if short else Tag.GENERALIZED_TIME).decode("ascii")
    digits = text.removesuffix("Z")
    if text == digits or not digits.isdigit() or len(digits) != (12 if short else 14):
        raise ValueError("a time of another form")
    if short:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
