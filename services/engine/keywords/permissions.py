"""What a bot's keywords may do."""

from collections.abc import Mapping

from services.engine.keywords.keyword import Keyword
from services.engine.program.values import ProgramError

GRANTED = "keyword-permissions"
"""A bot's configuration: permissions its keywords have, with commas between; absent: all."""


def permitted(keyword: Keyword, config: Mapping[str, str]) -> None:
    """ProgramError when the bot's configuration does not grant what the keyword needs."""
    granted = config.get(GRANTED, "*")
    allowed = {item.strip() for item in granted.split(",")}
    if keyword.permission and not {"*", keyword.permission, f"{keyword.permission.partition('.')[0]}.*"} & allowed:
        message = (
            f"{keyword.name} needs the permission {keyword.permission}, which {GRANTED} of this bot does not grant"
        )
        raise ProgramError(message)
