"""What a bot's configuration says about its sandbox."""

from collections.abc import Mapping

from services.engine.program.values import ProgramError
from services.engine.sandbox.port import MEGABYTE, Limits

OFF, ON = {"false", "0", "no", "off"}, {"true", "1", "yes", "on"}
SECONDS, MEMORY_MB, CPU_PERCENT = 30.0, 256.0, 50.0
LEAST_MEMORY_MB = 64.0
FOLDERS = "/data,/tmp"


def limits_of(config: Mapping[str, str]) -> Limits:
    """From sandbox-timeout (seconds), sandbox-memory-mb and sandbox-cpu-percent (of one processor, on average).

    ProgramError for what is no number, and for what the bot switched off or this installation cannot give.
    """
    if _flag(config, "sandbox-enabled", default=True) is False:
        message = "sandbox-enabled of this bot is false: it runs no code"
        raise ProgramError(message)
    if _flag(config, "sandbox-network", default=False):
        message = "not available on this installation: sandbox-network (code has no network; set it to false)"
        raise ProgramError(message)
    packages = config.get("sandbox-python-packages", "").strip()
    if packages:
        message = f"not available on this installation: sandbox-python-packages ({packages[:80]}), only Python's own"
        raise ProgramError(message)
    seconds = _number(config, "sandbox-timeout", SECONDS)
    return Limits(
        seconds=seconds,
        cpu_seconds=max(1.0, seconds * _number(config, "sandbox-cpu-percent", CPU_PERCENT) / 100),
        memory_bytes=int(max(LEAST_MEMORY_MB, _number(config, "sandbox-memory-mb", MEMORY_MB)) * MEGABYTE),
    )


def folders_of(config: Mapping[str, str]) -> tuple[str, ...]:
    """From sandbox-allowed-paths: the names under which code finds its scratch folder; no path of the machine."""
    written = config.get("sandbox-allowed-paths", "").strip() or FOLDERS
    return tuple(part.strip().rstrip("/") for part in written.split(",") if part.strip())


def _flag(config: Mapping[str, str], key: str, *, default: bool) -> bool:
    written = config.get(key, "").strip().lower()
    if written and written not in OFF | ON:
        message = f'{key}: expected true or false, got "{written[:40]}"'
        raise ProgramError(message)
    return written in ON if written else default


def _number(config: Mapping[str, str], key: str, default: float) -> float:
    written = config.get(key, "").strip()
    try:
        number = float(written) if written else default
    except ValueError:
        number = -1.0
    if not 0 < number < 1_000_000:
        message = f'{key}: expected a number above 0, got "{written[:40]}"'
        raise ProgramError(message)
    return number
