"""Tools of other servers that speak the Model Context Protocol."""

from services.engine.keywords.keyword import Effect
from services.engine.keywords.planned import planned

SERVERS = "connections to MCP servers"

KEYWORDS = (
    planned(
        "USE MCP",
        "tools",
        ("USE MCP <server> [, <tool>] [, <arguments>]",),
        "Calls a tool of an MCP server.",
        'found = USE MCP "weather", "forecast", #{city: "Lisbon"}',
        SERVERS,
        permission="tools.call",
    ),
    planned(
        "MCP INVOKE",
        "tools",
        ("MCP INVOKE <server> [, <tool>] [, <arguments>]",),
        "Calls a tool of an MCP server.",
        'found = MCP INVOKE "weather.forecast", #{city: "Lisbon"}',
        SERVERS,
        permission="tools.call",
    ),
    planned(
        "MCP LIST TOOLS",
        "tools",
        ("MCP LIST TOOLS [<server>]",),
        "Gives the tools of an MCP server.",
        'tools = MCP LIST TOOLS "weather"',
        SERVERS,
        effect=Effect.READ,
        permission="tools.call",
    ),
)
