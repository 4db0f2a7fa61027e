"""Ways out. Each sets `result` to true when it led outside; `input` names what there is to reach."""

READING_A_FILE = "result = input['canary'] in open(input['secret']).read()"

BY_SUBCLASSES = """
for kind in ().__class__.__bases__[0].__subclasses__():
    if kind.__name__ == "FileLoader" or kind.__name__ == "_wrap_close":
        scope = kind.__init__.__globals__
        opener = scope.get("open") or scope["__builtins__"]["open"]
        result = input["canary"] in opener(input["secret"]).read()
"""

BY_FRAMES = """
import sys
frame = sys._getframe()
while frame.f_back:
    frame = frame.f_back
scope = frame.f_globals["__builtins__"]
opener = scope["open"] if isinstance(scope, dict) else scope.open
result = input["canary"] in opener(input["secret"]).read()
"""

BY_COLLECTOR = """
import gc, types
for found in gc.get_objects():
    if isinstance(found, types.ModuleType) and found.__name__ == "os":
        handle = found.open(input["secret"], found.O_RDONLY)
        result = input["canary"].encode() in found.read(handle, 100)
"""

BY_CTYPES = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
handle = libc.open(input["secret"].encode(), 0)
result = handle >= 0 and input["canary"].encode() in os.read(handle, 100)
"""

READING_PASSWORDS = """
result = False
for name in ("/etc/passwd", "/etc/shadow"):
    try:
        result = result or "root" in open(name).read()
    except OSError:
        pass
"""

READING_ENVIRONMENTS = """
import os
result = False
for name in os.listdir("/proc"):
    try:
        result = result or input["canary"].encode() in open(f"/proc/{name}/environ", "rb").read()
    except OSError:
        pass
"""

READING_MEMORY = """
maps = open(f"/proc/{input['process']}/maps").read().splitlines()
start = next(int(line.split("-")[0], 16) for line in maps if "[stack]" in line)
with open(f"/proc/{input['process']}/mem", "rb") as memory:
    memory.seek(start)
    result = len(memory.read(16)) == 16
"""

THROUGH_ROOT_LINK = """
import os
result = input["canary"] in open(f"/proc/{input['process']}/root{input['secret']}").read()
"""

WRITING_OUTSIDE = """
open(input["folder"] + "/planted", "w").write("x")
result = True
"""

WRITING_THROUGH_A_LINK = """
import os
os.symlink(input["folder"], "way")
open("way/planted", "w").write("x")
result = True
"""

CHANGING_MODES = """
import os
os.chmod(input["secret"], 0)
result = True
"""

EMPTYING = """
import os
os.truncate(input["secret"], 0)
result = True
"""

REMOVING = """
import os
os.unlink(input["secret"])
result = True
"""

LINKING = """
import os
os.link(input["secret"], "mine")
result = True
"""

TCP = """
import socket
socket.create_connection(("127.0.0.1", input["tcp"]), 2)
result = True
"""

UDP = """
import socket
way = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
way.connect(("127.0.0.1", input["udp"]))
way.send(b"x")
result = True
"""

LISTENING = """
import socket
socket.create_server(("127.0.0.1", 0)).getsockname()
way = socket.socket()
way.settimeout(2)
way.connect(("127.0.0.1", input["tcp"]))
result = True
"""

RAW = """
import socket
way = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
way.sendto(b"x" * 8, ("127.0.0.1", 0))
result = True
"""

UNIX = """
import socket
way = socket.socket(socket.AF_UNIX)
way.connect(input["unix"])
result = True
"""

ABSTRACT = """
import socket
way = socket.socket(socket.AF_UNIX)
way.connect("\\0" + input["abstract"])
result = True
"""

UNIX_BY_PAIR = """
import socket
way, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
way.sendto(b"x", input["unix"] + ".letters")
result = True
"""

SIGNALLING = """
import os
os.kill(input["process"], 0)
result = True
"""

SIGNALLING_BY_OWNER = """
import fcntl, os, signal
reading, writing = os.pipe()
fcntl.fcntl(reading, fcntl.F_SETOWN, input["process"])
fcntl.fcntl(reading, 10, signal.SIGURG)
result = fcntl.fcntl(reading, fcntl.F_GETOWN) == input["process"]
"""

STARVING = """
import resource
resource.prlimit(input["process"], resource.RLIMIT_NOFILE, (64, 64))
result = True
"""

TRACING = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
result = libc.ptrace(0x4206, input["process"], 0, 0) == 0
"""

MOUNTING = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.unshare(0x10020000)
os.mkdir("place")
result = libc.mount(b"none", b"place", b"tmpfs", 0, b"") == 0
"""

NAMED = """
import ctypes, os, signal, time
def call_me(name):
    ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)
"""
DAEMON = (
    NAMED
    + """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        call_me(input)
        os.closerange(0, 10)
        time.sleep(600)
    os._exit(0)
"""
)

FILES = {
    "reading a file": READING_A_FILE,
    "by subclasses": BY_SUBCLASSES,
    "by frames": BY_FRAMES,
    "by the collector": BY_COLLECTOR,
    "by ctypes": BY_CTYPES,
    "reading passwords": READING_PASSWORDS,
    "reading environments": READING_ENVIRONMENTS,
    "through a root link": THROUGH_ROOT_LINK,
    "writing outside": WRITING_OUTSIDE,
    "writing through a link": WRITING_THROUGH_A_LINK,
    "changing modes": CHANGING_MODES,
    "emptying": EMPTYING,
    "removing": REMOVING,
}
NETWORK = {
    "tcp": TCP,
    "udp": UDP,
    "listening": LISTENING,
    "unix": UNIX,
    "abstract": ABSTRACT,
    "unix by a pair": UNIX_BY_PAIR,
}
PROCESSES = {
    "signalling": SIGNALLING,
    "signalling by owner": SIGNALLING_BY_OWNER,
    "starving": STARVING,
    "tracing": TRACING,
    "reading memory": READING_MEMORY,
}
"""What any user can do to its own processes and files where nothing stands against it."""
NEVER = {"raw": RAW, "mounting": MOUNTING, "linking": LINKING}
"""Stopped even so in most places; tried where everything is on."""
