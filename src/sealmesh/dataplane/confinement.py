"""Take the network from a process for good: it and its descendants can make no Internet socket.

A seccomp filter (seccomp(2)) answers `socket` with EACCES for every family but those that stay on the
machine, and refuses io_uring, which makes sockets without that call, and other system call tables than the
native one. It is for children that the wrap cannot be put into. It does not take descriptors away that the
process already has.
"""

import ctypes
import errno
import os
import struct
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_GET_SECCOMP: Final = 21
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2

_ALLOW: Final = 0x7FFF0000
_KILL_PROCESS: Final = 0x80000000
_DENY: Final = 0x00050000 | errno.EACCES

# Classic BPF (linux/filter.h) over `struct seccomp_data`: nr at 0, arch at 4, the first argument at 16.
_LOAD: Final = 0x20
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16

#: By machine: AUDIT_ARCH_* and the number of `socket`.
_TABLES: Final = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_IO_URING_SETUP: Final = 425
_PIDFD_GETFD: Final = 438
_X32: Final = 0x40000000
#: AF_UNIX, AF_NETLINK, AF_ALG.
_INSIDE: Final = (1, 16, 38)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class Confinement:
    """The filter, made ready before a fork.

    Raises:
        OSError: This kernel or machine has no such filter.
    """

    def __init__(self) -> None:
        table = _TABLES.get(os.uname().machine)
        self._libc = ctypes.CDLL(None, use_errno=True)
        if table is None or self._prctl(_PR_GET_SECCOMP) < 0:
            raise OSError(errno.ENOSYS, "no seccomp filter for this machine")
        instructions = _filter(*table)
        self._instructions = ctypes.create_string_buffer(instructions)  # kept: the program points to it
        self._program = _Program(len(instructions) // 8, ctypes.addressof(self._instructions))

    def apply(self) -> None:
        """Confine the calling thread and all that it starts from now on.

        Raises:
            OSError: The kernel refused; the caller must not go on.
        """
        if self._prctl(_PR_SET_NO_NEW_PRIVS, 1) < 0:
            raise OSError(ctypes.get_errno(), "no_new_privs was refused")
        if self._prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(self._program)) < 0:
            raise OSError(ctypes.get_errno(), "the seccomp filter was refused")

    def _prctl(self, option: int, first: int = 0, second: int = 0) -> int:
        words = [ctypes.c_ulong(word) for word in (first, second, 0, 0)]
        return int(self._libc.prctl(option, *words))


def _filter(architecture: int, socket_number: int) -> bytes:
    """Return the instructions, eight bytes each. A jump says how many to skip if true, and if false."""
    inside = [_step(_JUMP_EQUAL, family, len(_INSIDE) - index, 0) for index, family in enumerate(_INSIDE)]
    to_deny = len(inside) + 1  # from the test for `socket`
    return b"".join(
        [
            _step(_LOAD, _ARCHITECTURE),
            _step(_JUMP_EQUAL, architecture, 1, 0),
            _step(_RETURN, _KILL_PROCESS),
            _step(_LOAD, _NUMBER),
            _step(_JUMP_AT_LEAST, _X32, to_deny + 3, 0),
            _step(_JUMP_EQUAL, _IO_URING_SETUP, to_deny + 2, 0),
            _step(_JUMP_EQUAL, _PIDFD_GETFD, to_deny + 1, 0),
            _step(_JUMP_EQUAL, socket_number, 0, to_deny + 1),
            _step(_LOAD, _FIRST_ARGUMENT),
            *inside,
            _step(_RETURN, _DENY),
            _step(_RETURN, _ALLOW),
        ]
    )


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
