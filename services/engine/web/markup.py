"""XML of other people: read without entities, so that neither bombs nor files of this machine are in it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as Safe
from defusedxml.common import DefusedXmlException

from services.engine.program.values import ProgramError

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.engine.web.port import Page

T = TypeVar("T")


def parse(body: bytes) -> Element:
    """The root. ProgramError for what is not XML, or holds entities or references to files."""
    try:
        root: Element = Safe.fromstring(body)
    except DefusedXmlException:
        message = "the XML defines entities, which is how bombs are built: it is not read"
        raise ProgramError(message) from None
    except (ParseError, ValueError, LookupError):
        message = "XML was expected at the address"
        raise ProgramError(message) from None
    return root


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def namespace(element: Element) -> str:
    """The namespace of an element, empty for none."""
    return element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""


def children(element: Element, name: str) -> list[Element]:
    """The direct children of a name, whatever the namespace."""
    return [child for child in element if local(child) == name]


def first_text(element: Element, *names: str) -> str:
    """The text of the first direct child that has one of the names, in the order of the names; empty for none."""
    for name in names:
        for child in children(element, name):
            text = (child.text or "").strip()
            if text:
                return text
    return ""


def expect_good(page: Page) -> Page:
    """The page. ProgramError when the other side did not give it."""
    if not page.good:
        message = f"the other side answered {page.status}"
        raise ProgramError(message)
    return page


async def aside(work: Callable[[], T]) -> T:
    """Done in a thread: pages may be large, and conversations do not wait for each other."""
    return await asyncio.to_thread(work)
