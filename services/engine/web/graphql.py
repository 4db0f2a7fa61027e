"""GraphQL over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.engine.program.values import ProgramError, Value
from services.engine.web.port import Request

if TYPE_CHECKING:
    from services.engine.keywords.world import World
    from services.engine.web.port import Web

ACCEPT = {"Accept": "application/graphql-response+json, application/json", "Content-Type": "application/json"}


async def graphql(web: Web, world: World, url: str, query: str, variables: Value = None) -> Value:
    """A response object whose data is what the query asked for; with `errors` among it when there were some."""
    if not query.strip():
        message = "a GraphQL query was expected, such as { user(id: 1) { name } }"
        raise ProgramError(message)
    if variables is not None and not isinstance(variables, dict):
        message = "variables of a GraphQL query are an object, such as #{id: 1}"
        raise ProgramError(message)
    body = {"query": query, "variables": variables or {}}
    response = await web.ask(world, Request(method="POST", url=url, body=body, headers=ACCEPT))
    said = response["data"]
    if isinstance(said, dict) and ("data" in said or "errors" in said):
        data = said.get("data")
        response["data"] = data if not said.get("errors") else {**(data or {}), "errors": said["errors"]}
    return response
