"""Which way a message goes to somebody: by what their address looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.engine.mail.people import PHONE, PHONE_MARKS, is_mailbox
from services.engine.mail.port import Attachment, Mail
from services.engine.program.values import ProgramError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.engine.keywords.world import World
    from services.engine.mail.port import Mailer, Texter

MAIL = frozenset({"email", "mail", "mailto"})
TEXT = frozenset({"sms", "tel", "phone"})
SUBJECT_LENGTH = 78


class Routes:
    """The `Outbox` of this installation: mail and text messages."""

    def __init__(self, mailer: Mailer, texter: Texter) -> None:
        self._mailer = mailer
        self._texter = texter

    async def send(
        self, world: World, to: str, text: str, attachments: Sequence[Attachment] = (), part: str = ""
    ) -> str:
        """See `Outbox`."""
        channel, address = route(to)
        if channel == "email":
            mail = Mail(to=[address], subject=subject(world, text), body=text, attachments=attachments, part=part or to)
            return await self._mailer.send(world, mail)
        if channel == "sms" and not attachments:
            return await self._texter.send(world, address, text)
        what = f"files to {channel}" if attachments else f"messages to {channel}"
        message = f"not available on this installation: {what}. Mail (email:ann@example.com) is"
        raise ProgramError(message)


def route(to: str) -> tuple[str, str]:
    """Channel and address. ProgramError for what is neither."""
    written = to.strip()
    channel, mark, address = written.partition(":")
    if mark and channel.isalpha():
        name = channel.lower()
        return "email" if name in MAIL else "sms" if name in TEXT else name, address.strip()
    if is_mailbox(written):
        return "email", written
    if PHONE.fullmatch(PHONE_MARKS.sub("", written)):
        return "sms", written
    message = (
        f"whom to write to was expected, such as email:ann@example.com or +351912345678, there is {written[:40]!r}"
    )
    raise ProgramError(message)


def subject(world: World, text: str) -> str:
    """For a message that has none: the first line of it, or the name of the bot."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first if 0 < len(first) <= SUBJECT_LENGTH else world.config.get("bot-name") or world.bot.rpartition("/")[2]
