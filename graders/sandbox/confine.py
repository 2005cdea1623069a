"""What a child gives up before the student's text is looked at: the kernel's own locks, in three layers.

rlimits bound what it can use; Landlock leaves it only the library folders, to read; seccomp leaves it
the system calls that computing needs. Each can only be tightened afterwards, whatever the child becomes.

The Python bindings of libseccomp want a C library, headers and a matching build on every machine, and
those of Landlock are young; what is used of both here is three numbers and a table, so they are called
directly. The filter is an allow-list, so a system call that nobody thought of is refused.
"""

import contextlib
import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)
PDEATHSIG, DUMPABLE, SECCOMP, SUBREAPER, NO_NEW_PRIVS = 1, 4, 22, 36, 38  # of prctl
NEVER_TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000  # O_TMPFILE


class Unavailable(Exception):
    """A lock that this machine does not have."""


def prctl(option: int, argument: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        raise Unavailable(f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def set_limits(memory: int, cpu_seconds: int) -> None:
    """`memory` in bytes of address space. Without clone() it bounds all memory that there can be."""
    wanted = {
        resource.RLIMIT_CPU: cpu_seconds + 1,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 32,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_AS: memory,
    }
    for which, value in wanted.items():
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.nullcontext() if LINUX else contextlib.suppress(OSError, ValueError):
            soft = value - 1 if which == resource.RLIMIT_CPU and value > 1 else value  # SIGXCPU says which limit it was
            resource.setrlimit(which, (soft, value))


def address_space() -> int:
    if not LINUX:
        return 0
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


# --- Landlock ----------------------------------------------------------------

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
READ_FILE, READ_DIR = 1 << 2, 1 << 3


def landlock_ruleset(readable: Iterable[Path]) -> int:
    """A descriptor for `landlock`: everything refused but reading below these paths. Or Unavailable."""
    if not LINUX:
        raise Unavailable("Landlock is a part of Linux")
    version = _libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        raise Unavailable("Landlock is not switched on in this kernel")
    files = 0x1FFF | (version >= 2) << 13 | (version >= 3) << 14 | (version >= 5) << 15
    attributes = struct.pack("<3Q", files, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    ruleset = int(_libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0))
    if ruleset < 0:
        raise Unavailable(f"Landlock: {os.strerror(ctypes.get_errno())}")
    for path in readable:
        rights = READ_FILE | (READ_DIR if path.is_dir() else 0)
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rule = struct.pack("<Qi", rights, descriptor)
        failed = _libc.syscall(ADD_RULE, ruleset, 1, rule, 0)
        os.close(descriptor)
        if failed:
            raise Unavailable(f"Landlock refuses a rule for {path}")
    return ruleset


def landlock(ruleset: int) -> None:
    if _libc.syscall(RESTRICT_SELF, ruleset, 0) != 0:
        raise Unavailable(f"Landlock: {os.strerror(ctypes.get_errno())}")


# --- seccomp -----------------------------------------------------------------

# Allowed whatever the arguments: (x86-64, aarch64), None where the call does not exist.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216),
    "madvise": (28, 233), "brk": (12, 214), "futex": (202, 98), "read": (0, 63), "write": (1, 64),
    "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67), "lseek": (8, 62), "close": (3, 57),
    "fstat": (5, 80), "stat": (4, None), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61), "getcwd": (79, 17),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128), "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153), "getrusage": (98, 165),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getcpu": (309, 168),
    "getpid": (39, 172), "getppid": (110, 173), "gettid": (186, 178), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "uname": (63, 160),
    "sysinfo": (99, 179), "getrlimit": (97, 163), "getrandom": (318, 278), "rseq": (334, 293),
    "set_robust_list": (273, 99), "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
OPEN, OPENAT, FCNTL, PRLIMIT, CLONE3 = (2, None), (257, 56), (72, 25), (302, 261), (435, 435)
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # of classic BPF
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000  # REFUSE | errno

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def _argument(number: int) -> Instruction:
    return (LOAD, 0, 0, 16 + 8 * number)  # low half of the argument, as the kernel reads an int


def seccomp_filter() -> bytes:
    """The allow-list as a BPF program: system calls not in it fail with "operation not permitted"."""
    if not LINUX or platform.machine() not in ARCHITECTURES or sys.maxsize < 2**32:
        raise Unavailable("seccomp is supported on Linux on x86-64 and aarch64")
    column, architecture = ARCHITECTURES[platform.machine()]
    allow, refuse = (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE | errno.EPERM)
    kill, number = (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)
    program: list[Instruction] = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, architecture), kill, number]
    program += [(AT_LEAST, 0, 1, 0x40000000), kill]  # x86-64's second table of the same calls
    for call in (numbers[column] for numbers in ALLOWED.values()):
        if call is not None:
            program += [(EQUAL, 0, 1, call), allow]
    for opening, flags in ((OPEN[column], 1), (OPENAT[column], 2)):
        if opening is not None:
            program += [(EQUAL, 0, 4, opening), _argument(flags)]
            program += [(ANY_BIT, 1, 0, NEVER_TO_WRITE), allow, refuse]
    for call, position, values in ((PRLIMIT[column], 0, (0,)), (FCNTL[column], 1, (1, 2, 3))):
        program += [(EQUAL, 0, 2 + 2 * len(values), call), _argument(position)]
        for value in values:  # its own limits; F_GETFD, F_SETFD, F_GETFL
            program += [(EQUAL, 0, 1, value), allow]
        program += [refuse]
    program += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, REFUSE | errno.ENOSYS), refuse]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)


def seccomp(program: bytes) -> None:
    """For good. Needs `prctl(NO_NEW_PRIVS, 1)` first."""
    kept = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("<H6xQ", len(program) // 8, ctypes.addressof(kept))
    kept_header = ctypes.create_string_buffer(header, len(header))
    if _libc.prctl(SECCOMP, ctypes.c_ulong(2), kept_header, 0, 0) != 0:
        raise Unavailable(f"seccomp: {os.strerror(ctypes.get_errno())}")
