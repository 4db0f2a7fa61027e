"""How many rows a FIND gives."""

from services.engine.program.values import number_of
from services.engine.tables.port import Reader

USUAL_ROWS = 10
MOST_ROWS = 1_000
USUAL_KEY, MOST_KEY = "table-find-rows", "table-most-rows"


def allowed(world: Reader, limit: int | None) -> int:
    """How many rows a FIND gives."""
    most = configured(world, MOST_KEY, MOST_ROWS, 10_000)
    if limit is None:
        return min(configured(world, USUAL_KEY, USUAL_ROWS, most), most)
    return max(0, min(limit, most))


def configured(world: Reader, key: str, usual: int, most: int) -> int:
    """A number of the bot's configuration. ProgramError when it is none."""
    given = world.config.get(key, "")
    return max(1, min(int(number_of(given, f"a number in {key}")), most)) if given else usual
