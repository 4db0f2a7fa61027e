"""Which model a name means."""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from parley.llm.v1 import llm_service_pb2 as pb

from services.common.errors import InvalidArgument
from services.llm.domain.port import Embedder, Provider

V = TypeVar("V", Provider, Embedder)
LONGEST_CHAIN = 8
OTHER = "other"


class Registry(Generic[V]):
    """Vendors in the order of preference: the first one's first model is the default."""

    def __init__(self, vendors: Sequence[V], aliases: Mapping[str, str]) -> None:
        self.vendors: tuple[V, ...] = tuple(vendors)
        self._aliases = dict(aliases)
        listed = {f"{vendor.name}/{model}" for vendor in self.vendors for model in vendor.models()}
        self._known = frozenset(listed | {self._meant(alias) for alias in self._aliases})

    @property
    def default(self) -> str:
        """What an empty name means, "provider/model"."""
        return f"{self.vendors[0].name}/{self.vendors[0].models()[0]}"

    def label(self, name: str) -> str:
        """What metrics call "provider/model": only what is configured has a name there, for callers choose freely."""
        return name if name in self._known else OTHER

    def _meant(self, wanted: str) -> str:
        for _ in range(LONGEST_CHAIN):
            if wanted not in self._aliases:
                break
            wanted = self._aliases[wanted]
        return wanted

    def find(self, name: str) -> tuple[V, str]:
        """The vendor and its model. InvalidArgument for a name that means nothing here.

        A vendor may be asked for a model it does not list: a compatible server has more than we were told of.
        """
        provider, _, model = (self._meant(name.removeprefix("models/")) or self.default).partition("/")
        for vendor in self.vendors:
            if vendor.name == provider and model:
                return vendor, model
        known = ", ".join(sorted(f"{item.name}/{item.models()[0]}" for item in self.vendors))
        raise InvalidArgument.field("model", f'"provider/model", such as {known}, or nothing', name)


def list_models(providers: Registry[Provider], embedders: Registry[Embedder]) -> list[pb.Model]:
    """All models by name."""
    found: dict[str, pb.Model] = {}
    for vendor in providers.vendors:
        for model in vendor.models():
            entry(found, vendor.name, model).completes = True
    for embedder in embedders.vendors:
        for model in embedder.models():
            entry(found, embedder.name, model).embeds = True
    for default in (providers.default, embedders.default):
        found[f"models/{default}"].default = True
    return [found[name] for name in sorted(found)]


def entry(found: dict[str, pb.Model], provider: str, model: str) -> pb.Model:
    """The entry of a model, made when it is not there yet."""
    name = f"models/{provider}/{model}"
    return found.setdefault(name, pb.Model(name=name, provider=provider))
