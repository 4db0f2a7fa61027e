"""Types of answers that HEAR knows."""

from services.engine.hearing.kinds import ALIASES, FILES, VALIDATORS

ANY_TYPES = frozenset("ANY STRING TEXT CHOICE MENU OPTIONS LOGIN AUTH OBJECT VALUE ANSWER".split())
TYPES = ANY_TYPES | frozenset(ALIASES) | frozenset(FILES) | frozenset(VALIDATORS)
