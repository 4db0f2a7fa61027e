"""python -I -S launcher.py PARENT SIGNAL UID GID COMMAND...: become COMMAND, and get SIGNAL when PARENT dies.

A program of its own, because code between fork and exec in a process with threads may crash (grpc's hooks do). Linux
only. UID and GID are "-" to stay who one is. PR_SET_PDEATHSIG survives exec, but no change of user: that comes first.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(parent: str, signum: str, user: str, group: str, *command: str) -> None:
    """Does not return."""
    if user != "-":
        os.setgroups([])
        os.setgid(int(group))
        os.setuid(int(user))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signum))
    if os.getppid() == int(parent):  # else it died before it could be watched
        os.execv(command[0], command)  # noqa: S606 - what the supervisor wants


if __name__ == "__main__":
    main(*sys.argv[1:])
