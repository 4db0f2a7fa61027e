"""How much a caller may ask for."""

from collections import OrderedDict

MOST_KEYS = 10_000


class TokenBuckets:
    """A bucket a key: `burst` tokens, `rate` more a second. The bucket that was asked longest ago goes first."""

    def __init__(self, rate: float, burst: int, most: int = MOST_KEYS) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._most = most
        self._levels: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def take(self, key: object, now: float) -> float:
        """0 when there was a token; else the seconds until there is one. `now`: any steady clock, seconds."""
        level, then = self._levels.pop(key, (self._burst, now))
        level = min(self._burst, level + max(0.0, now - then) * self._rate)
        wait = 0.0 if level >= 1 else (1 - level) / self._rate
        self._levels[key] = (level if wait else level - 1, now)
        if len(self._levels) > self._most:
            self._levels.popitem(last=False)
        return wait
