"""CALL of a service's path, and CREATE INDEX."""

import pytest

from services.engine.keywords.http.calling import call
from services.engine.keywords.world import World
from services.engine.program.values import Value
from services.engine.web.port import Request, Web
from tests.unit.engine.scripts import play

pytestmark = pytest.mark.unit


class Noting:
    """A web that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    async def ask(self, _: World, request: Request) -> Value:
        self.asked.append(request)
        return {"status": 200, "statusText": "OK", "headers": {}, "data": {"total": 5}}


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("orders/price", "/api/orders/price"),
        ("/api/orders/price", "/api/orders/price"),
        ("https://example.com/x", "https://example.com/x"),
    ],
)
async def test_a_path_is_asked_of_the_own_server(path: str, url: str) -> None:
    web = Noting()
    world = World(tenant="t", bot="bots/b", session="sessions/s", user="u", key="k", ports={Web: web})
    await call(world, {"path": path, "data": {"item": "tea"}})
    assert [(item.method, item.url, item.body) for item in web.asked] == [("POST", url, {"item": "tea"})]


def test_a_slash_makes_it_a_service() -> None:
    played = play('r = CALL "orders/price", #{item: "tea"}\nTALK "on"')
    assert [(item.keyword, item.arguments["path"]) for item in played.effects] == [("CALL SERVICE", "orders/price")]


def test_an_index_needs_nothing() -> None:
    assert play("CREATE INDEX a ON t (b, c)\nTALK 1").said == ["1"]
