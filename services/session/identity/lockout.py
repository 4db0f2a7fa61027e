"""How long an account waits after wrong passwords. The address a caller comes from plays no part."""

import datetime

FREE_ATTEMPTS = 5
FIRST_WAIT = datetime.timedelta(seconds=1)
LONGEST_WAIT = datetime.timedelta(minutes=15)
FORGET_AFTER = datetime.timedelta(hours=24)


def wait_after(attempts: int) -> datetime.timedelta:
    """The wait that an attempt starts, counted from 1: none for the first five, then doubling to 15 minutes."""
    over = attempts - FREE_ATTEMPTS
    if over <= 0:
        return datetime.timedelta()
    doubled = 1 << min(over - 1, 20)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)
