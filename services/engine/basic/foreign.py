"""What a text is that is no script: prose, a page, data, a program in another language."""

import re

from services.engine.keywords.registry import registry

MARKUP = re.compile(r"\s*<(?:!DOCTYPE|\?xml|!--|/?\w[\w:-]*[\s>/])", re.IGNORECASE)
OTHERS = (
    ("a shell script", re.compile(r"\A#!|^\s*(?:fi|done|esac)\s*$", re.MULTILINE)),
    ("Python", re.compile(r"^\s*(?:def \w+\(.*\).*:|class \w+.*:|from [\w.]+ import .+|import \w+)\s*$", re.MULTILINE)),
    ("JavaScript", re.compile(r"^\s*(?:const \w+ = require\(|import .+ from |function \w*\(.*\)\s*\{)", re.MULTILINE)),
    ("Rust", re.compile(r"^\s*(?:pub )?fn \w+.*\{\s*$", re.MULTILINE)),
    ("SQL", re.compile(r"^\s*(?:CREATE TABLE|ALTER TABLE|DROP TABLE)\b", re.MULTILINE | re.IGNORECASE)),
    ("a style sheet", re.compile(r"^[ \t]*[.#@\w][^\"'=\n{]*\{[^\"'=\n:]*:[^\"'=\n]*$", re.MULTILINE)),
)
CODE = frozenset('="([{}])')
FEWEST_LINES = 2
# What a text is shows at its beginning.
MOST_LINES, LONGEST_LINE = 200, 300
SCRIPTED = frozenset("TALK HEAR IF FOR PARAM DESCRIPTION SUB FUNCTION BEGIN TABLE WITH DO WHILE SWITCH TRY".split())
QUERIES = re.compile(r"\s*(?:SELECT|INSERT|CREATE|ALTER|DROP|UPDATE|DELETE)\b")


def reads_like(text: str, wrong: int) -> str:
    """What a text with errors probably is, in words; empty for a script with mistakes. wrong: lines with errors."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("'")]
    if not lines or any(certain(line) for line in lines):
        return ""
    if MARKUP.match(lines[0]):
        return "a page"
    if lines[0].lstrip()[0] in "{[" and lines[-1].rstrip()[-1] in "}]":
        return "data"
    beginning = "\n".join(line[:LONGEST_LINE] for line in lines[:MOST_LINES])
    for name, pattern in OTHERS:
        if pattern.search(beginning):
            return name
    plain = sum(" " in line.strip() and not CODE & set(line) for line in lines)
    return "prose" if wrong >= FEWEST_LINES and plain * 3 >= len(lines) * 2 else ""


def certain(line: str) -> bool:
    """Whether a line begins with a keyword in capitals, as only scripts do."""
    word = re.match(r"\s*([A-Z][A-Z_]+)\b(?!\s*[.,;:]?\s*$)", line)
    if word is None or QUERIES.match(line):
        return False
    return word[1] in registry().starting or word[1] in SCRIPTED
