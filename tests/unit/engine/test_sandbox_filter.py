"""The filter of calls, instruction by instruction, for both architectures."""

import errno

import pytest

from services.engine.sandbox.inside import calls

pytestmark = pytest.mark.unit
NUMBERS = {
    "x86_64": {"read": 0, "socket": 41, "connect": 42, "kill": 62, "clone": 56, "fork": 57, "mmap": 9, "fcntl": 72}
    | {"ptrace": 101, "chmod": 90, "prlimit64": 302, "socketpair": 53, "mount": 165, "unshare": 272, "clone3": 435}
    | {"io_uring_setup": 425, "memfd_create": 319, "execve": 59, "ioctl": 16, "bpf": 321, "process_vm_readv": 310},
    "aarch64": {"read": 63, "socket": 198, "connect": 203, "kill": 129, "clone": 220, "mmap": 222, "fcntl": 25}
    | {"ptrace": 117, "fchmod": 52, "prlimit64": 261, "socketpair": 199, "mount": 40, "unshare": 97, "clone3": 435}
    | {"io_uring_setup": 425, "memfd_create": 279, "execve": 221, "ioctl": 29, "bpf": 280, "process_vm_readv": 270},
}
ALLOWED, NOT_PERMITTED, UNKNOWN = calls.ALLOW, calls.REFUSE | errno.EPERM, calls.REFUSE | errno.ENOSYS
REFUSED = ("socket", "connect", "ptrace", "mount", "unshare", "memfd_create", "bpf", "process_vm_readv")


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None, **apart: bool) -> int:
    """What the kernel would do with a call."""
    options = {"signals": True, "metadata": True, "processes": True} | apart
    program = calls.compiled(machine, **options)
    data = {calls.NUMBER: number, calls.ARCHITECTURE: architecture or calls.ARCHITECTURES[machine]}
    data |= {calls.ARGUMENTS + 8 * index: value & 0xFFFFFFFF for index, value in enumerate((*arguments, *[0] * 6)[:6])}
    at = value = 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        match code:
            case calls.LOAD:
                value = data[operand]
            case calls.AND:
                value &= operand
            case calls.RETURN:
                return operand
            case _:
                holds = {
                    calls.EQUAL: value == operand,
                    calls.GREATER: value > operand,
                    calls.AT_LEAST: value >= operand,
                }
                at += if_true if holds[code] else if_false


@pytest.mark.parametrize("machine", NUMBERS)
def test_what_is_listed_and_what_is_not(machine: str) -> None:
    names = NUMBERS[machine]
    assert verdict(machine, names["read"]) == verdict(machine, names["execve"]) == ALLOWED
    assert {verdict(machine, names[name]) for name in REFUSED} == {NOT_PERMITTED}
    assert verdict(machine, names["clone3"]) == verdict(machine, names["io_uring_setup"]) == UNKNOWN


@pytest.mark.parametrize("machine", NUMBERS)
def test_other_architectures_end_the_process(machine: str) -> None:
    assert verdict(machine, 0, architecture=0x40000003) == calls.KILL
    assert verdict(machine, calls.X32) == calls.KILL


@pytest.mark.parametrize("machine", NUMBERS)
def test_arguments_decide(machine: str) -> None:
    names = NUMBERS[machine]
    assert verdict(machine, names["clone"], 0x11) == verdict(machine, names["clone"], 0x3D0F00) == ALLOWED
    for space in (0x20000, 0x10000000, 0x20000000, 0x40000000, 0x8000000, 0x2000000, 0x4000000):
        assert verdict(machine, names["clone"], space | 0x11) == NOT_PERMITTED
    assert verdict(machine, names["mmap"], 0, 4096, 3, 0x22) == ALLOWED
    assert verdict(machine, names["mmap"], 0, 4096, 3, 0x21) == NOT_PERMITTED
    assert verdict(machine, names["fcntl"], 0, 1) == ALLOWED
    assert verdict(machine, names["fcntl"], 0, 8) == NOT_PERMITTED
    assert verdict(machine, names["prlimit64"], 0) == ALLOWED
    assert verdict(machine, names["prlimit64"], 77) == NOT_PERMITTED
    assert verdict(machine, names["socketpair"], 1, 0o2000001) == ALLOWED
    assert verdict(machine, names["socketpair"], 1, 2) == NOT_PERMITTED
    assert verdict(machine, names["ioctl"], 0, 0x5412) == NOT_PERMITTED


@pytest.mark.parametrize("machine", NUMBERS)
def test_what_other_layers_do_not_cover_is_refused(machine: str) -> None:
    names = NUMBERS[machine]
    change = names.get("chmod", names.get("fchmod", 0))
    assert verdict(machine, names["kill"]) == verdict(machine, change) == ALLOWED
    assert verdict(machine, names["kill"], signals=False) == NOT_PERMITTED
    assert verdict(machine, change, metadata=False) == NOT_PERMITTED
    assert verdict(machine, names["clone"], 0x11, processes=False) == NOT_PERMITTED
    assert verdict(machine, names["clone"], 0x3D0F00, processes=False) == ALLOWED
    if "fork" in names:
        assert verdict(machine, names["fork"], processes=False) == NOT_PERMITTED


def test_jumps_reach_and_other_machines_are_refused() -> None:
    program = calls.compiled("x86_64", signals=True, metadata=True, processes=True)
    assert all(line[1] < 256 and line[2] < 256 for line in program)
    with pytest.raises(OSError, match="riscv64"):
        calls.compiled("riscv64", signals=True, metadata=True, processes=True)
