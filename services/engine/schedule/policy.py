"""What becomes of a schedule that is late: the installation was down, or too busy.

    once    late by at most `grace`: it runs once, however often it was missed; later: it waits for its next time
    skip    it never runs late
    always  it runs once, however late

What was to happen at one moment only runs however late, unless the policy is skip.
"""

import datetime

# As late as a look at the clock, a busy database and a restart may make it: this is not "late".
PUNCTUAL = datetime.timedelta(seconds=15)


def runs(late: datetime.timedelta, misfire: str, grace: datetime.timedelta, *, single: bool) -> bool:
    """Whether a schedule that is late by so much still runs."""
    if late <= PUNCTUAL:
        return True
    if misfire == "skip":
        return False
    return misfire == "always" or single or late <= grace
