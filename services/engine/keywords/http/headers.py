"""SET HEADER and CLEAR HEADERS: what every later request of the conversation says as well."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, text_of
from services.engine.web.headers import MOST_HEADERS, SETTING, header_value


def set_header(state: MachineState, arguments: Arguments) -> None:
    """One header, or those of an object; NULL takes one away. ProgramError for what no header may hold."""
    given = arguments["headers"] if "headers" in arguments else {text_of(arguments["name"]): arguments["value"]}
    if not isinstance(given, dict):
        message = 'SET HEADER "Name", value or an object of headers was expected'
        raise ProgramError(message)
    left = dict(state.settings.get(SETTING) or {})
    for name, value in given.items():
        known = next((other for other in left if other.lower() == name.lower()), name)
        left.pop(known, None)
        if value is not None:
            left[name] = header_value(name, text_of(value))
    if len(left) > MOST_HEADERS:
        message = f"at most {MOST_HEADERS} headers: CLEAR HEADERS takes them away"
        raise ProgramError(message)
    state.settings[SETTING] = left


def clear_headers(state: MachineState, _: Arguments) -> None:
    """None is left."""
    state.settings.pop(SETTING, None)


SET_HEADER = Keyword(
    name="SET HEADER",
    group="http",
    summary="Sends a header with every later request of this conversation.",
    forms=(
        "SET HEADER <name> = <value>",
        "SET HEADER <name>, <value>",
        "SET HEADER <name> AS <value>",
        "SET HEADER <headers:object>",
    ),
    aliases=("SET HEADERS", "SET_HEADER"),
    effect=Effect.STATE,
    example='SET HEADER "Authorization", "Bearer " + token\norders = GET "https://api.example.com/orders"',
    documentation="""A header that is set again is replaced, one that is set to NULL is taken away. `Content-Type`
decides the form of what POST, PUT and PATCH send. When a server redirects to another host, only `Accept`,
`Accept-Language`, `Content-Type` and `User-Agent` go along. `Host` and headers of the connection cannot be set.""",
    apply=set_header,
)
CLEAR_HEADERS = Keyword(
    name="CLEAR HEADERS",
    group="http",
    summary="Sends no headers of the conversation any more.",
    forms=("CLEAR HEADERS",),
    aliases=("CLEAR_HEADERS",),
    effect=Effect.STATE,
    example="CLEAR HEADERS",
    apply=clear_headers,
)
