"""Who the script says it talks to."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import Value, text_of


def set_user(state: MachineState, arguments: Arguments) -> None:
    """Known to this conversation under a name, an address, an identifier of the author's own."""
    known: dict[str, Value] = {name: text_of(arguments[name]) for name in ("id", "name", "email") if name in arguments}
    before = state.globals.get("user")
    state.globals["user"] = {**before, **known} if isinstance(before, dict) else known
    if "name" in known:
        state.globals["username"] = known["name"]
    if "id" in known:
        state.globals["user_id"] = known["id"]
    state.keep("session", "user", state.globals["user"])


SET_USER = Keyword(
    name="SET USER",
    group="dialog",
    summary="Says who the person of this conversation is.",
    forms=("SET USER <name>, <email>, <id>", "SET USER <name>, <email>", "SET USER <id>"),
    effect=Effect.STATE,
    example='SET USER "Ana", "ana@example.com", "C-17"',
    documentation="It fills `user.id`, `user.name`, `user.email`, `username` and `user_id`, and keeps them as "
    "`session.user`. It gives the person no rights: who is signed in does not change.",
    apply=set_user,
)
