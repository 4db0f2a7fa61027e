"""What `up` shows while processes start, and what it says of them later."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

QUIET = frozenset({"waiting", "stopped"})


class Starting:
    """A bar on a terminal, a line for each process that is ready elsewhere; afterwards a line when one comes or goes.

    An async context: inside it things start. `expected`: how many there will be.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._ready: set[str] = set()
        self._ended: set[str] = set()
        self._under_way: dict[str, None] = {}
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (
                SpinnerColumn(),
                BarColumn(24),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
            )
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("starting", total=None)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def expect(self, count: int) -> None:
        """So many steps there are in all."""
        if self._bar is not None:
            self._bar.update(self._task, total=count)

    def tell(self, name: str, state: str) -> None:
        """A process, or a step, changed its state."""
        if state == "ready":
            self._take(name)
        elif state == "restarting":
            self._ended.add(name)
            self._announce(name, "[yellow]ended, is started again[/]", shown=True)
        elif name not in self._ready and state not in QUIET:
            self._under_way[name] = None
        if self._bar is not None:
            words = ", ".join(list(self._under_way)[:4])
            self._bar.update(self._task, completed=len(self._ready), description=words)

    def _take(self, name: str) -> None:
        self._under_way.pop(name, None)
        if name not in self._ready:
            self._ready.add(name)
            self._announce(name, "[green]ready[/]", shown=self._bar is None)
        elif name in self._ended:
            self._announce(name, "[green]ready again[/]", shown=True)
        self._ended.discard(name)

    def _announce(self, name: str, words: str, *, shown: bool) -> None:
        if shown:
            self._console.print(f"  {name:<12} {words}")


class Elapsing:
    """How far something with a known length in seconds is: a bar on a terminal, nothing elsewhere.

    A context: inside it tell() is called.
    """

    def __init__(self, console: Console, seconds: float) -> None:
        columns = (SpinnerColumn(), BarColumn(24), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("starting", total=seconds)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, words: str, seconds: float) -> None:
        """What is so, and for how long it has been going on."""
        self._bar.update(self._task, completed=seconds, description=words)
