"""CREATE INDEX: read for the sake of scripts that say it."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState


def noted(state: MachineState, arguments: Arguments) -> None:
    """A line of the log says that nothing was to be done."""
    state.printed.append(f"CREATE INDEX {arguments['index']}: every field of a table is found by its index already")


CREATE_INDEX = Keyword(
    name="CREATE INDEX",
    group="data",
    summary="Needs nothing to be done: every field of a bot's table has an index; the log says so.",
    forms=("CREATE INDEX <index:sql>", "CREATE UNIQUE INDEX <index:sql>"),
    effect=Effect.STATE,
    example="CREATE INDEX idx_customers_name ON customers (name)",
    apply=noted,
)
