"""Where a keyword is performed: for whom, in which conversation, with what at hand."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from services.engine.machine.outcomes import Clock, Say
from services.engine.program.values import ProgramError, Value

if TYPE_CHECKING:
    from services.engine.tables.definition import TableDefinition

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """tenant: its UUID; bot: "bots/x"; session: "sessions/x"; user: the person's subject; roles: the person's.

    key: the same whenever this effect of this turn is repeated, for whoever can recognise a repetition;
    config: of the version that runs; tables: what TABLE said in it, by name; collections: of documents, those of USE
    KB; settings: what keywords left in the conversation; pending: variables set in this turn and not committed yet,
    [scope, key, value]; version: what runs, "bots/x/versions/n".
    """

    tenant: str
    bot: str
    session: str
    user: str
    key: str
    roles: frozenset[str] = frozenset()
    channel: str = ""
    locale: str = ""
    config: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, TableDefinition] = field(default_factory=dict)
    collections: tuple[str, ...] = ()
    settings: Mapping[str, Value] = field(default_factory=dict)
    pending: tuple[tuple[str, str, Value], ...] = ()
    clock: Clock = lambda: datetime.datetime.now(datetime.UTC)
    ports: Mapping[Any, Any] = field(default_factory=dict)
    keyword: str = ""
    version: str = ""

    def port(self, kind: type[P]) -> P:
        """What stands behind a port. ProgramError when this installation has nothing there."""
        found = self.ports.get(kind)
        if found is None:
            message = f"not available on this installation: {self.keyword or kind.__name__}"
            raise ProgramError(message)
        return found  # type: ignore[no-any-return]

    def setting(self, name: str) -> Value:
        """What a keyword left in the conversation; None when nothing did."""
        return self.settings.get(name)


@dataclass(frozen=True, slots=True)
class Performed:
    """What a keyword gives when it does more than give a value: it changes settings, says something, or keeps values.

    variables: (scope, key, value), written with the commit of the turn.
    """

    value: Value = None
    settings: Mapping[str, Value] = field(default_factory=dict)
    says: tuple[Say, ...] = ()
    variables: tuple[tuple[str, str, Value], ...] = ()
