"""Code that tries to get out, under all layers, under either half of them, and under none, where it succeeds."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.engine.sandbox.layers import Layer
from services.engine.sandbox.port import Language
from services.engine.sandbox.runner import SandboxRunner
from tests.integration.engine_sandbox import attacks
from tests.integration.engine_sandbox.world import CANARY, FILTERS, NAMESPACES, NOTHING, run, targets

pytestmark = pytest.mark.integration
ALL = attacks.FILES | attacks.NETWORK | attacks.PROCESSES
GUARDS = {"all": None, "namespaces": NAMESPACES, "filters": FILTERS}


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("PARLEY_KEY", CANARY)
    with targets(tmp_path) as found:
        yield found


def untouched(outside: dict[str, Any]) -> bool:
    """Whether nothing outside was changed."""
    secret = Path(outside["secret"])
    return secret.read_text() == CANARY and not (Path(outside["folder"]) / "planted").exists()


@pytest.mark.parametrize("guards", GUARDS)
@pytest.mark.parametrize("attack", ALL)
async def test_no_way_out(attack: str, guards: str, outside: dict[str, Any]) -> None:
    outcome = await run(ALL[attack], outside, layers=GUARDS[guards])
    assert not outcome.result, outcome
    assert untouched(outside)


@pytest.mark.parametrize("attack", ALL)
async def test_without_layers_every_way_leads_out(attack: str, outside: dict[str, Any]) -> None:
    outcome = await run(ALL[attack], outside, layers=NOTHING)
    assert outcome.result is True, outcome


@pytest.mark.parametrize("attack", attacks.NEVER)
async def test_what_needs_privileges(attack: str, outside: dict[str, Any]) -> None:
    outcome = await run(attacks.NEVER[attack], outside)
    assert not outcome.result
    assert outcome.error or outcome.result is False


@pytest.mark.parametrize(
    ("layer", "family"),
    [
        (Layer.MOUNT, attacks.FILES | {"unix": attacks.UNIX}),
        (Layer.NETWORK, {"tcp": attacks.TCP, "udp": attacks.UDP, "abstract": attacks.ABSTRACT}),
        (Layer.SECCOMP, attacks.NETWORK | {"signalling": attacks.SIGNALLING, "tracing": attacks.TRACING}),
        (
            Layer.LANDLOCK,
            {name: attacks.FILES[name] for name in attacks.FILES if name != "changing modes"}
            | {"tcp": attacks.TCP, "abstract": attacks.ABSTRACT, "signalling": attacks.SIGNALLING},
        ),
        (Layer.PID, {"signalling": attacks.SIGNALLING, "starving": attacks.STARVING, "tracing": attacks.TRACING}),
    ],
    ids=lambda value: str(value) if isinstance(value, Layer) else "",
)
async def test_one_layer_alone_stops_its_family(layer: Layer, family: dict[str, str], outside: dict[str, Any]) -> None:
    layers = frozenset({layer, Layer.MOUNT} if layer is Layer.PID else {layer})
    for name, attack in family.items():
        outcome = await run(attack, outside, layers=layers)
        assert not outcome.result, f"{name}: {outcome}"


async def test_the_machine_gives_enough() -> None:
    layers = await SandboxRunner().layers()
    assert layers >= {Layer.LIMITS, Layer.SECCOMP}


async def test_the_code_is_nobody() -> None:
    outcome = await run(
        """
import ctypes, os
fields = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
result = {name: fields[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")}
result["root"] = os.getuid() == 0
"""
    )
    assert outcome.result["root"] is False
    assert outcome.result["NoNewPrivs"] == "1"
    assert outcome.result["Seccomp"] == "2"
    assert int(outcome.result["CapEff"], 16) == int(outcome.result["CapPrm"], 16) == 0


async def test_programs_that_change_the_user_do_not() -> None:
    outcome = await run(
        "su -c id root 2>&1; mount -t tmpfs none . 2>&1; unshare -Ur id 2>&1; exit 0", language=Language.BASH
    )
    assert "uid=0" not in outcome.output


async def test_nothing_is_inherited(outside: dict[str, Any]) -> None:
    code = """
import os
held = []
for number in range(256):
    try:
        os.fstat(number)
        held.append(number)
    except OSError:
        pass
result = {"held": held, "names": sorted(os.environ)}
"""
    leaking = os.open(outside["secret"], os.O_RDONLY)
    os.set_inheritable(leaking, True)
    outcome = await run(code)
    os.close(leaking)
    assert outcome.result["held"] == [0, 1, 2, 3]
    assert set(outcome.result["names"]) <= {"HOME", "LANG", "LC_CTYPE", "OPENSSL_CONF", "PATH", "TMPDIR", "TZ"}


async def test_no_names_are_resolved() -> None:
    outcome = await run("import socket\nresult = socket.getaddrinfo('localhost', 80)")
    assert outcome.result is None
    assert "line 2" in outcome.error


@pytest.mark.parametrize("language", [Language.JAVASCRIPT, Language.BASH])
async def test_other_languages_are_kept_in_too(language: Language, outside: dict[str, Any]) -> None:
    code = {
        Language.JAVASCRIPT: """
            const fs = require("fs"), tries = [];
            const attempt = (name, action) => { try { action(); tries.push(name); } catch (error) {} };
            attempt("read", () => fs.readFileSync(input.secret));
            attempt("write", () => fs.writeFileSync(input.folder + "/planted", "x"));
            attempt("kill", () => process.kill(input.process, 0));
            result = tries;
            require("net").connect(input.tcp, "127.0.0.1", () => tries.push("tcp")).on("error", () => {});
        """,
        Language.BASH: f"""
            tries=""
            read -r line < {outside["secret"]} && tries="$tries read"
            {{ echo x > {outside["folder"]}/planted; }} 2>/dev/null && tries="$tries write"
            kill -0 {outside["process"]} 2>/dev/null && tries="$tries kill"
            {{ : 5<>/dev/tcp/127.0.0.1/{outside["tcp"]}; }} 2>/dev/null && tries="$tries tcp"
            result="[$tries]"
        """,
    }[language]
    for layers in GUARDS.values():
        outcome = await run(code, outside, language=language, layers=layers)
        assert outcome.result == [], outcome
        assert untouched(outside)
