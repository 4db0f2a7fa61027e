"""What a script knows before its first line."""

import pytest
from parley.common.v1 import access_pb2  # noqa: F401 - the descriptor that the ledger's messages need
from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.engine.beginning import predefined
from services.engine.program.parameters import parameters, typed

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5), ("-2.50", -2.5), ("true", True), ("False", False), ("nan", "nan"), ("inf", "inf"), ("1e5", "1e5"),
        ("00123456789012345678", "00123456789012345678"), ("", ""), ("a, b", "a, b"),
    ],
)  # fmt: skip
def test_parameters_are_typed(text: str, value: object) -> None:
    made = typed(text)
    assert (made, type(made)) == (value, type(value))


def test_only_parameters_are_variables() -> None:
    config = {"param-Tax-Rate": "0.2", "llm-key": "secret", "bot-name": "Shop"}
    assert parameters(config) == {"tax_rate": 0.2, "botname": "Shop"}


def test_who_talks_and_where() -> None:
    turn = ledger_pb.Turn(bot="bots/shop", channel="channels/whatsapp", locale="pt-BR")
    turn.lease.key.session = "sessions/s1"
    turn.originator.subject = "users/u1"
    turn.originator.roles.append("guest")
    turn.route.external_user = "+5511999990000"
    known = predefined(turn)
    assert (known["user_id"], known["session_id"], known["bot_id"]) == ("u1", "s1", "shop")
    assert (known["channel"], known["language"], known["mobile"]) == ("whatsapp", "pt", "+5511999990000")
    assert known["user"] == {"id": "u1", "name": "+5511999990000", "mobile": "+5511999990000", "roles": ["guest"]}
