"""Which kinds of channels there are."""

from collections.abc import Iterable

from services.channels.domain.port import Adapter
from services.common.errors import InvalidArgument, Unimplemented


class Registry:
    """Adapters by kind."""

    def __init__(self, adapters: Iterable[Adapter]) -> None:
        self._adapters = {adapter.kind: adapter for adapter in adapters}

    def chosen(self, kind: str) -> Adapter:
        """The adapter for a kind a person asked for. InvalidArgument."""
        found = self._adapters.get(kind)
        if found is None:
            known = ", ".join(f"KIND_{name.upper()}" for name in sorted(self._adapters))
            raise InvalidArgument.field("channel.kind", f"one of {known}")
        return found

    def of(self, kind: str) -> Adapter:
        """The adapter for a row's kind. Unimplemented when this installation has none."""
        found = self._adapters.get(kind)
        if found is None:
            raise Unimplemented("this installation has no adapter for this kind of channel")
        return found
