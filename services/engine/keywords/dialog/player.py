"""A player beside the conversation: PLAY itself is among the keywords of files."""

from services.engine.keywords.keyword import Effect
from services.engine.keywords.planned import planned

PLAYER = "a player in the channel"

KEYWORDS = (
    planned("PAUSE", "dialog", ("PAUSE",), "Holds what is played.", 'PLAY "welcome.mp4"\nPAUSE', PLAYER),
    planned(
        "RESUME", "dialog", ("RESUME",), "Goes on with what was held.", 'PLAY "welcome.mp4"\nPAUSE\nRESUME', PLAYER
    ),
    planned(
        "STOP PLAYER",
        "dialog",
        ("STOP PLAYER",),
        "Closes the player; STOP alone ends the script.",
        'PLAY "welcome.mp4"\nSTOP PLAYER',
        PLAYER,
        "STOP PLAY",
        effect=Effect.WRITE,
    ),
)
