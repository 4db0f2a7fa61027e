"""What HEAR makes of pictures, recordings and whoever is signed in: performed by the machine, never written by name."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword, Perform
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value

SCANNER = "SCAN BARCODE"


async def decoded(world: World, arguments: Arguments) -> Value:
    """The text of a code; NULL when there is none in the picture. ProgramError when nothing here reads codes."""
    from services.engine.keywords.registry import registry  # noqa: PLC0415 - it imports this module

    scanner = registry().get(SCANNER)
    if scanner is None or scanner.perform is None:
        message = "not available on this installation: HEAR AS QRCODE"
        raise ProgramError(message)
    return await scanner.perform(world, {"image": arguments["sent"]})


async def signed_in(world: World, _: Arguments) -> Value:
    """The person's name, "users/..."; NULL for a visitor."""
    return world.user if world.user.startswith("users/") else None


def conversion(kind: str, summary: str, perform: Perform | None = None, needs: str = "") -> Keyword:
    """What an answer of a type becomes."""
    return Keyword(
        name=f"HEAR {kind}",
        group="dialog",
        summary=summary,
        forms=(f"HEAR <variable> AS {kind}",),
        effect=Effect.READ,
        example=f"HEAR answer AS {kind}",
        needs=needs,
        slow=True,
        syntax=True,
        perform=perform,
    )


KEYWORDS = (
    conversion("QRCODE", "Waits for a picture of a QR code and gives its text.", decoded),
    conversion("LOGIN", "Waits for a message of somebody who is signed in and gives who that is.", signed_in),
    conversion("AUDIO", "Waits for a recording and gives what is said in it.", needs="a model that hears"),
    conversion("VIDEO", "Waits for a video and gives what is to be seen in it.", needs="a model that sees"),
)
