"""Confines itself, then runs the program on its standard input. A script of its own: `sandbox.py` starts it.

It runs as the first process of new user, mount, network and process namespaces, and gives up, in this order: writing to
any file that exists, all but a small folder in memory, time and memory, and the system calls that open sockets, start
processes or undo any of it. Exit codes are those of `sandbox.py`.
"""

import ctypes
import os
import platform
import resource
import struct
import sys

PASSED, RAISED, LEFT, UNJAILED = 42, 43, 44, 45
MS_READ_ONLY, MS_NOSUID, MS_NODEV = 1, 2, 4
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_READ_ONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_FILTER = 22, 38, 2
ALLOW, REFUSE, NO_SUCH_CALL = 0x7FFF0000, 0x00050001, 0x00050026  # refusals carry EPERM and ENOSYS
CLONE_THREAD = 0x00010000
EVERYWHERE = {"mount_setattr": 442, "io_uring_setup": 425, "clone3": 435, "open_tree": 428, "move_mount": 429,
              "fsopen": 430, "fsmount": 432, "pidfd_open": 434, "pidfd_getfd": 438}  # fmt: skip
CALLS = {
    "x86_64": (0xC000003E, {
        "socket": 41, "connect": 42, "bind": 49, "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "ptrace": 101,
        "chroot": 161, "mount": 165, "umount2": 166, "init_module": 175, "tkill": 200, "keyctl": 250, "add_key": 248,
        "unshare": 272, "perf_event_open": 298, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
        "bpf": 321, "execveat": 322, "userfaultfd": 323, "pivot_root": 155, "prlimit64": 302, "setrlimit": 160,
    }, 56),
    "aarch64": (0xC00000B7, {
        "socket": 198, "connect": 203, "bind": 200, "execve": 221, "kill": 129, "ptrace": 117, "chroot": 51,
        "mount": 40, "umount2": 39, "init_module": 105, "tkill": 130, "keyctl": 219, "add_key": 217, "unshare": 97,
        "perf_event_open": 241, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "bpf": 280,
        "execveat": 281, "userfaultfd": 282, "pivot_root": 41, "prlimit64": 261, "setrlimit": 164,
    }, 220),
}  # fmt: skip
libc = ctypes.CDLL(None, use_errno=True)
libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong)
libc.syscall.restype = ctypes.c_long


def must(result: int) -> None:
    """Stop where the kernel refused a step: a program is never run half confined."""
    if result != 0:
        os._exit(UNJAILED)


def close_files(folder: str, megabytes: int) -> None:
    """Make every mount read-only and without devices, hide other processes, and lay memory over the working folder."""
    attributes = struct.pack("QQQQ", ATTR_READ_ONLY | ATTR_NOSUID | ATTR_NODEV, 0, 0, 0)
    must(libc.syscall(EVERYWHERE["mount_setattr"], AT_FDCWD, b"/", AT_RECURSIVE, attributes, len(attributes)))
    must(libc.mount(b"tmpfs", b"/proc", b"tmpfs", MS_READ_ONLY | MS_NOSUID | MS_NODEV, b"size=4k"))
    options = f"size={megabytes}m,mode=700,nr_inodes=1000".encode()
    must(libc.mount(b"tmpfs", folder.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, options))
    os.chdir(folder)


def limit(seconds: int, memory: int, megabytes: int) -> None:
    """Bound time, memory, the size of a file and the number of open ones."""
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory << 20),
        (resource.RLIMIT_FSIZE, megabytes << 20),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_NPROC, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def call_filter() -> bytes:
    """Return the seccomp program: a list of refused calls, threads but no processes, one architecture."""
    machine, calls, clone = CALLS[platform.machine()]
    load, equal, above, masked, give = 0x20, 0x15, 0x35, 0x45, 0x06
    rest = {name: number for name, number in EVERYWHERE.items() if name != "clone3"}
    refused = sorted({**calls, **rest}.values())
    steps = [(load, 0, 0, 4), (equal, 1, 0, machine), (give, 0, 0, REFUSE), (load, 0, 0, 0)]
    steps += [(above, 0, 1, 0x40000000), (give, 0, 0, REFUSE)]
    steps += [(equal, 0, 1, EVERYWHERE["clone3"]), (give, 0, 0, NO_SUCH_CALL)]
    for number in refused:
        steps += [(equal, 0, 1, number), (give, 0, 0, REFUSE)]
    steps += [(equal, 0, 3, clone), (load, 0, 0, 16), (masked, 1, 0, CLONE_THREAD), (give, 0, 0, REFUSE)]
    return b"".join(struct.pack("HBBI", *step) for step in [*steps, (give, 0, 0, ALLOW)])


def close_calls() -> None:
    """Refuse the calls that open sockets, start processes or change what confines this one; for good."""
    program = call_filter()
    held = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(held)))
    must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, None, 0, 0))
    must(libc.prctl(PR_SET_SECCOMP, SECCOMP_FILTER, ctypes.addressof(header), 0, 0))


def drop_rights() -> None:
    """Give up every capability over the namespaces."""
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    must(libc.capset(header, nothing))


def main() -> None:
    """Confine this process and run the program."""
    folder, (seconds, memory, megabytes) = sys.argv[1], map(int, sys.argv[2:5])
    program = sys.stdin.buffer.read().decode()
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        close_files(folder, megabytes)
        limit(seconds, memory, megabytes)
        drop_rights()
        close_calls()
    except BaseException:
        os._exit(UNJAILED)
    try:
        exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})  # noqa: S102  what the jail is for
    except SystemExit:
        os._exit(LEFT)
    except BaseException:
        os._exit(RAISED)
    os._exit(PASSED)


if __name__ == "__main__":
    main()
