"""One measured figure, and how it is judged."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """`ceiling`: the same thing done bare in the same run; `ratio`: value / ceiling; `aim`: of the ratio if there is a
    ceiling, else of the value. `at_most`: smaller is better."""

    bench: str
    figure: str
    value: float
    unit: str
    ceiling: float | None = None
    aim: float | None = None
    at_most: bool = False

    @property
    def ratio(self) -> float | None:
        """value / ceiling."""
        return round(self.value / self.ceiling, 3) if self.ceiling else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None without one."""
        if self.aim is None:
            return None
        judged = self.ratio if self.ratio is not None else self.value
        return judged <= self.aim if self.at_most else judged >= self.aim

    def line(self) -> dict[str, Any]:
        """As --json prints it."""
        fields = asdict(self)
        fields.pop("at_most")
        return {**fields, "value": round(self.value, 2), "ratio": self.ratio, "met": self.met}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of all lie. 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def middle(values: Sequence[float]) -> float:
    """Median; 0 without values."""
    return statistics.median(values) if values else 0.0
