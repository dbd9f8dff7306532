"""A sandbox as seccomp makes one: system calls that the kernel refuses from here on, with an error of one's choice."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

NUMBERS = {
    "x86_64": {"recvmsg": 47, "setsockopt": 54, "getsockopt": 55, "ioctl": 16, "sendmsg": 46, "memfd_create": 319},
    "aarch64": {"recvmsg": 212, "setsockopt": 208, "getsockopt": 209, "ioctl": 29, "sendmsg": 211, "memfd_create": 279},
}
"""System calls by architecture (``asm/unistd.h``)."""
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NUMBER, _ARGUMENTS = 0, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2


def refuse(call: str, error: int = errno.EPERM, argument: int | None = None, value: int = 0) -> bool:
    """Have ``call`` fail in this process, where its ``argument`` has the ``value`` if one is given; whether that is so now."""
    number = NUMBERS.get(platform.machine(), {}).get(call)
    if number is None:
        return False
    rules = [(_LOAD, 0, 0, _NUMBER), (_IF_EQUAL, 0, 1 if argument is None else 3, number)]
    if argument is not None:
        rules += [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument), (_IF_EQUAL, 0, 1, value)]
    rules += [(_RETURN, 0, 0, _REFUSE | error), (_RETURN, 0, 0, _ALLOW)]
    code = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    kept = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(rules), ctypes.addressof(kept)))
    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    return prctl(_NO_NEW_PRIVILEGES, 1, None, 0, 0) == 0 and prctl(_SET_SECCOMP, _FILTER, ctypes.addressof(program), 0, 0) == 0
