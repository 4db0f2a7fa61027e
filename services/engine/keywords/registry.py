"""The one registry: every keyword, found by looking through this package and the entry point group `parley.keywords`.

The parser, the analyzer, the machine, completion, the manual and the page of what is available are made from it.
"""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import entry_points
from types import ModuleType

from services.engine import keywords
from services.engine.keywords.forms import Form, heads, starters, words
from services.engine.keywords.keyword import Effect, Keyword

Start = tuple[tuple[str, ...], Keyword, Form]
ENTRY_POINTS = "parley.keywords"
# Words that end a value, whichever keyword they belong to.
ENDS = frozenset(
    """
    AND OR XOR NOT MOD IN LIKE BETWEEN IS CONTAINS THEN TO STEP AS BY DO WITH FROM WHERE ELSE ASC DESC GOTO TIMEOUT
    """.split()
)


class Registry:
    """Keywords by name and by the words their forms begin with."""

    def __init__(self, found: Iterable[Keyword]) -> None:
        self.by_name: dict[str, Keyword] = {}
        for keyword in found:
            known = self.by_name.setdefault(keyword.name, keyword)
            if known is not keyword:
                message = f"two keywords are called {keyword.name}"
                raise ValueError(message)
        self.functions = self._named(Effect.PURE)
        self.starting: dict[str, tuple[Start, ...]] = self._starts()
        self.clauses = ENDS | {word for _, _, form in self._forms() for word in starters(form.items)}
        self.vocabulary = frozenset(word for _, _, form in self._forms() for word in words(form.items))

    def _named(self, effect: Effect) -> dict[str, Keyword]:
        chosen = [item for item in self.by_name.values() if item.effect is effect and not item.syntax]
        return {name: item for item in chosen for name in (item.name, *item.aliases)}

    def _forms(self) -> Iterator[Start]:
        for keyword in self.by_name.values():
            if not keyword.syntax:
                yield from ((heads(form), keyword, form) for form in keyword.patterns)

    def _starts(self) -> dict[str, tuple[Start, ...]]:
        found: defaultdict[str, list[Start]] = defaultdict(list)
        for start in self._forms():
            found[start[0][0]].append(start)
        return {word: tuple(sorted(each, key=lambda item: -len(item[0]))) for word, each in found.items()}

    def get(self, name: str) -> Keyword | None:
        """A keyword by its name."""
        return self.by_name.get(name)

    def names(self) -> frozenset[str]:
        """Names and aliases of all keywords, those of the language itself too."""
        return frozenset(name for item in self.by_name.values() for name in (item.name, *item.aliases))


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """All modules below a package."""
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


def described(module: ModuleType) -> Iterator[Keyword]:
    """Keywords a module names, alone or in a KEYWORDS tuple."""
    for name, value in vars(module).items():
        if isinstance(value, Keyword):
            yield value
        elif name == "KEYWORDS":
            yield from value


def discovered() -> Iterator[Keyword]:
    """Ours, then those of third parties."""
    for module in modules(keywords):
        yield from described(module)
    for entry in entry_points(group=ENTRY_POINTS):
        found = entry.load()
        if isinstance(found, Keyword):
            yield found


@lru_cache(maxsize=1)
def registry() -> Registry:
    """The registry of this process."""
    return Registry(discovered())
