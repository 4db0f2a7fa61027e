"""Text of any encoding."""

from services.engine.program.values import ProgramError

LARGEST_TEXT = 1_000_000
LARGEST_GUESSED = 65_536
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decoded(content: bytes) -> str:
    """The text of a file: by its byte order mark, else UTF-8, else what it most likely is. ProgramError for no text."""
    encoding = next((name for mark, name in MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        if b"\x00" in content[:1024]:
            raise no_text() from None
    return content.decode(guessed(content[:LARGEST_GUESSED]), errors="replace")


def guessed(content: bytes) -> str:
    """The name of the likeliest encoding of some bytes."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - heavy

    best = from_bytes(content).best()
    if best is None:
        raise no_text()
    return best.encoding


def no_text() -> ProgramError:
    """For bytes."""
    return ProgramError("this is no text: expected a text file, such as .txt, .md, .csv or .json")


def bounded(text: str) -> str:
    """The text itself. ProgramError when it is more than a script can hold."""
    if len(text) > LARGEST_TEXT:
        message = f"the file has {len(text):,} characters; a script can hold {LARGEST_TEXT:,}"
        raise ProgramError(message)
    return text
