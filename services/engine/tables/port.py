"""A bot's tables as keywords see them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.engine.machine.outcomes import Clock
from services.engine.program.values import Value
from services.engine.tables.definition import TableDefinition
from services.engine.tables.filters import Filter
from services.engine.tables.writes import Write

Row = dict[str, Value]


class Reader(Protocol):
    """Who looks at whose tables, and in which effect; a World is one.

    tenant: UUID; bot: "bots/x"; user: the person's subject; roles: the person's; key: the same when an effect is tried
    again; config: of the version; tables: definitions of the version, by name.
    """

    @property
    def tenant(self) -> str:
        """UUID."""

    @property
    def bot(self) -> str:
        """ "bots/x"."""

    @property
    def user(self) -> str:
        """The person's subject."""

    @property
    def roles(self) -> frozenset[str]:
        """The person's roles."""

    @property
    def key(self) -> str:
        """Idempotency key of the effect."""

    @property
    def config(self) -> Mapping[str, str]:
        """config.csv of the version."""

    @property
    def tables(self) -> Mapping[str, TableDefinition]:
        """What TABLE said in the version."""

    @property
    def clock(self) -> Clock:
        """The time."""


class Lists(Protocol):
    """SELECT over lists."""

    async def select(self, world: Reader, statement: str, variables: Mapping[str, Value]) -> list[Row]:
        """Rows of a SELECT over variables by name: lists are tables, anything else a value. ProgramError."""


class Tables(Protocol):
    """Rows of the tables of a bot. Names may say a connection: "erp.orders".

    Every method raises ProgramError for what the script did wrong or the person may not do, and lets a retryable
    ParleyError through. A row is an object with the fields of its table, its id, created_at and updated_at.
    """

    async def find(
        self, world: Reader, table: str, where: Filter = None, *, order: str = "", limit: int | None = None
    ) -> list[Row]:
        """Rows in order ("name, age DESC"; else as they were made): 10, or as many as limit says, 1,000 at most."""

    async def everything(self, world: Reader, table: str, where: Filter = None, *, most: int) -> list[Row]:
        """All rows, page by page. ProgramError when there are more than `most`."""

    async def count(self, world: Reader, table: str, where: Filter = None) -> int:
        """How many rows."""

    async def aggregate(self, world: Reader, table: str, how: str, field: str, where: Filter = None) -> Value:
        """SUM, AVG, COUNT, MIN or MAX."""

    async def distinct(self, world: Reader, table: str, field: str, where: Filter = None) -> list[Value]:
        """Different values of a field."""

    async def search(self, world: Reader, table: str, words: str, limit: int = 10) -> list[Row]:
        """Rows whose texts are most alike the words, best first."""

    async def autocomplete(self, world: Reader, table: str, beginning: str, limit: int = 10) -> list[str]:
        """Texts in the table that begin so, whatever the case."""

    async def query(self, world: Reader, parts: Sequence[Value]) -> list[Row]:
        """The rows of a SELECT over the bot's tables: literal text and inserted values in turns."""

    async def write(self, world: Reader, writes: Sequence[Write]) -> list[Value]:
        """Do all of it or nothing, once for a key; what each gives (see writes.py)."""
