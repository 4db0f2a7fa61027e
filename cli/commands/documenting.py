"""docs: what a keyword does, in the terminal."""

import sys

import click

from services.engine.basic import manual
from services.engine.keywords.keyword import Keyword


def listing() -> str:
    """Names by chapter; what is not available is in brackets."""
    parts = []
    for group, found in manual.grouped().items():
        names = ", ".join(item.name if item.available else f"({item.name})" for item in found)
        parts.append(f"{click.style(group, bold=True)}\n{click.wrap_text(names, 100, '  ', '  ')}")
    return "\n\n".join(parts)


def described(keyword: Keyword) -> str:
    """One keyword."""
    lines = [click.style(keyword.name, bold=True), f"  {keyword.summary}", ""]
    lines += [f"  {form}" for form in manual.forms_of(keyword)]
    slots = manual.slots_of(keyword)
    if slots:
        lines += ["", *(f"  {name}: {kind}" for name, kind in slots)]
    facts = [click.wrap_text(fact, 100, "  ", "  ") for fact in manual.facts_of(keyword)]
    if facts:
        lines += ["", *facts]
    if keyword.documentation:
        lines += ["", *(f"  {line}" for line in keyword.documentation.strip().splitlines())]
    if keyword.example:
        lines += ["", click.style("  Example", bold=True), *(f"    {line}" for line in keyword.example.splitlines())]
    return "\n".join(lines)


@click.command()
@click.argument("keyword", nargs=-1)
def docs(keyword: tuple[str, ...]) -> None:
    """Explain a keyword; without one, list all by chapter.

    Example:  ./parley docs send mail
    """
    if not keyword:
        click.echo(listing())
        return
    words = " ".join(keyword)
    found = manual.find(words)
    if found is not None:
        click.echo(described(found))
        return
    names, meant = manual.similar(words)
    click.echo(f"there is no keyword {words.upper()}" + (f"; {meant}" if meant else ""), err=True)
    if names:
        click.echo(f"with these words: {', '.join(names)}", err=True)
    sys.exit(1)


COMMANDS = (docs,)
