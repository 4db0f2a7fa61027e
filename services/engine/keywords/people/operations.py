"""Running the bot: metrics, the audit trail, the host, devices."""

from services.engine.keywords.dialog.printing import MOST_LINES
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.planned import planned
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, is_number, number_of, text_of

HOST = "tools that protect its host"
CHECKS = ("SCAN", "STATUS", "AUDIT", "REPORT", "UPDATE", "START", "STOP", "INSTALL", "HARDENING", "SCORE")


def line(state: MachineState, *parts: str) -> None:
    """A line of the log and of the trace."""
    if len(state.printed) < MOST_LINES:
        state.printed.append(" ".join(part for part in parts if part))


def measured(state: MachineState, arguments: Arguments) -> None:
    """METRIC name value labels. ProgramError when the value is no number."""
    value = arguments.get("value", 1)
    if not is_number(value):
        message = f"RECORD METRIC: expected a number after the name, got {text_of(value)[:40]!r}"
        raise ProgramError(message)
    line(state, "METRIC", text_of(arguments["metric"]), text_of(number_of(value)), text_of(arguments.get("labels")))


def audited(state: MachineState, arguments: Arguments) -> None:
    """AUDIT action details."""
    line(state, "AUDIT", *(text_of(item) for item in arguments["values"]))


RECORD_METRIC = Keyword(
    name="RECORD METRIC",
    group="operations",
    summary="Writes a number with its name into the log, as a line that begins with METRIC.",
    forms=("RECORD METRIC <metric> [, <value>] [, <labels>]", "RECORD METRIC <metric> = <value>"),
    effect=Effect.STATE,
    example='RECORD METRIC "orders", 1, #{kind: "tea"}',
    apply=measured,
)
AUDIT_LOG = Keyword(
    name="AUDIT LOG",
    group="operations",
    summary="Writes who did what into the log, as a line that begins with AUDIT.",
    forms=("AUDIT LOG <values:values>",),
    effect=Effect.STATE,
    example='AUDIT LOG "refund", "order 17", username',
    apply=audited,
)
KEYWORDS = (
    planned(
        "SECURITY",
        "operations",
        tuple(f"SECURITY {word} [<what:name>] [, <options>]" for word in CHECKS),
        "Checks and protects the host this installation runs on.",
        "SECURITY STATUS",
        HOST,
        permission="host.protect",
    ),
    planned(
        "GPIO SET",
        "operations",
        ("GPIO SET <pin>, <value>", "GPIO MODE <pin>, <mode>", "GPIO PWM <pin>, <value>"),
        "Sets a pin of the device the engine runs on.",
        'GPIO SET 17, "high"',
        "pins of a device",
        permission="host.devices",
    ),
    planned(
        "GPIO GET",
        "operations",
        ("GPIO GET <pin>", "GPIO READ <pin>"),
        "Reads a pin of the device the engine runs on.",
        "level = GPIO GET 17",
        "pins of a device",
        effect=Effect.READ,
        permission="host.devices",
    ),
)
