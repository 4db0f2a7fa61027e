"""When to try again."""

import math
import random
from collections.abc import Sequence

JITTER = 0.2
LONGEST_WAIT = 3600.0


def wait_after(attempts: int, backoff: Sequence[float], retry_after: float = 0.0, chance: float | None = None) -> float:
    """Seconds before the next attempt, after so many.

    The back-off, a fifth more or less so that many do not come back at once; at least what the receiver asked for, an
    hour at most. `chance`: 0 to 1, random when not given.
    """
    planned = backoff[min(max(attempts, 1), len(backoff)) - 1]
    spread = random.random() if chance is None else chance  # noqa: S311 - nobody gains by guessing it
    planned *= 1 - JITTER + 2 * JITTER * spread
    asked = retry_after if math.isfinite(retry_after) else 0.0
    return max(planned, min(asked, LONGEST_WAIT))


def worth_it(age: float, wait: float, budget: float) -> bool:
    """Whether another attempt still falls into the budget, all in seconds since the reply came."""
    return age + wait <= budget
