"""What the edge itself answers: other origins, errors of its own, health, pages, documents."""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import grpc
import pytest

from tests.mesh.mesh_contract import OPEN
from tests.mesh.mesh_world import Mesh

pytestmark = pytest.mark.mesh
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
PAGES = ["/", "/chat/hello", "/docs", "/embed-example"]


async def test_the_edge_s_own_origin_may_ask(mesh: Mesh) -> None:
    answer = await mesh.call("OPTIONS", "/v1/sessions", headers=PREFLIGHT | {"origin": mesh.url})
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == mesh.url
    assert {"authorization", "content-type"} <= set(answer.headers["access-control-allow-headers"].split(", "))
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example"]
)
async def test_a_foreign_origin_may_not(mesh: Mesh, origin: str) -> None:
    for verb, headers in (("OPTIONS", PREFLIGHT), ("GET", {})):
        answer = await mesh.call(verb, "/v1/sessions", headers=headers | {"origin": origin})
        assert "access-control-allow-origin" not in answer.headers


async def test_an_error_can_be_read_by_the_page_that_caused_it(mesh: Mesh) -> None:
    answer = await mesh.call("GET", "/v1/sessions", headers={"origin": mesh.url})
    answer.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
    assert answer.headers["access-control-allow-origin"] == mesh.url


async def test_no_such_path(mesh: Mesh) -> None:
    token = await mesh.visitor()
    for path in ("/v1/nothing", "/v1/", "/v1/sessions/a/b/c", "/v1/healthz"):
        answer = await mesh.call("GET", path, token=token)
        answer.refused(404, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize(
    ("verb", "path"),
    [("PUT", "/v1/sessions"), ("DELETE", "/v1/sessions"), ("PATCH", "/v1/models"), ("GET", "/v1/users:signIn")],
)
async def test_another_method(mesh: Mesh, verb: str, path: str) -> None:
    """To the transcoder a path is one with its method, so another method is another path."""
    answer = await mesh.call(verb, path, token=mesh.owner)
    answer.refused(404, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


@pytest.mark.parametrize("path", ["/v1/sessions%2Fx", "/v1/..%2f..%2fetc/passwd", "/v1/%5c"])
async def test_a_path_in_disguise(mesh: Mesh, path: str) -> None:
    answer = await mesh.call("GET", path, token=mesh.owner)
    answer.refused(400, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_every_answer_has_its_request_id(mesh: Mesh) -> None:
    good = await mesh.call("GET", "/v1/sessions", token=await mesh.visitor())
    bad = await mesh.call("GET", "/v1/sessions")
    assert uuid.UUID(good.headers["x-request-id"]) != uuid.UUID(bad.headers["x-request-id"])
    request = next(item for item in bad.body["details"] if item["@type"].endswith("RequestInfo"))
    assert request["request_id"] == bad.headers["x-request-id"]


async def test_health(mesh: Mesh) -> None:
    for verb in ("GET", "HEAD"):
        answer = await mesh.call(verb, "/healthz")
        assert (answer.status, answer.raw) == (200, b"")


OPERATORS = ["/metrics", "/readyz", "/stats", "/config_dump", "/quitquitquit", "/authorize", "/debug"]
DISGUISED = ["/%6detrics", "/%6D%65trics?x", "//readyz", "/x/../metrics", "/webhooks/%2e%2e/metrics", "/%72eadyz"]


@pytest.mark.parametrize("path", OPERATORS + DISGUISED)
async def test_what_is_for_operators_is_not_public(mesh: Mesh, path: str) -> None:
    for verb in ("GET", "POST"):
        answer = await mesh.call(verb, path)
        assert answer.status in {404, 405}, (verb, path, answer.raw[:200])


async def test_keys_are_public_and_only_their_public_half(mesh: Mesh) -> None:
    (key, *_) = (await mesh.ok("GET", "/.well-known/jwks.json"))["keys"]
    assert key["crv"] == "Ed25519"
    assert "d" not in key


# Pages


@pytest.mark.parametrize("path", PAGES)
async def test_pages_and_their_headers(mesh: Mesh, path: str) -> None:
    answer = await mesh.call("GET", path)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors" in policy
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts is not None
    assert "unsafe" not in scripts[1]
    assert not re.search(rb"<script(?![^>]*\bsrc=)", answer.raw), "no inline script, which the policy would refuse"


@pytest.mark.parametrize("path", PAGES)
async def test_what_a_page_needs_is_there(mesh: Mesh, path: str) -> None:
    page = (await mesh.call("GET", path)).raw.decode()
    needed = [urljoin(path, found) for found in re.findall(r'<(?:script|link)[^>]*?(?:src|href)="([^"]+)"', page)]
    assert needed
    assert all(address.startswith("/") for address in needed), "nothing is loaded from elsewhere"
    for address in needed:
        assert (await mesh.call("GET", address)).status == 200, address


@pytest.mark.parametrize("path", ["/nothing", "/static/nothing.js", "/static/..%2fserver.py", "/chat/NOT%20A%20BOT"])
async def test_a_page_that_is_not_there(mesh: Mesh, path: str) -> None:
    assert (await mesh.call("GET", path)).status in {400, 404}


async def test_a_page_is_not_sent_twice(mesh: Mesh) -> None:
    first = await mesh.call("GET", "/")
    again = await mesh.call("GET", "/", headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.raw) == (304, b"")


# The document of the API


@pytest.fixture(scope="session")
async def document(mesh: Mesh) -> Any:
    return await mesh.ok("GET", "/openapi.json")


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield verb.upper(), path, operation


def filled(path: str) -> str:
    """A path with a name of nothing for each parameter."""
    return re.sub(r"\{[^}]+\}", str(uuid.UUID(int=1)), path)


async def test_the_document_tells_every_method(document: Any) -> None:
    told = {operation.get("operationId", "").partition("_")[2] for _, _, operation in operations(document)}
    expected = {method.name for method in OPEN if method.bindings}
    assert expected <= {name.partition("_")[0] for name in told}


async def test_every_path_of_the_document_is_there(mesh: Mesh, document: Any) -> None:
    """Without arguments and without a token: refused for what is missing, never as unknown."""
    for verb, path, operation in operations(document):
        answer = await mesh.call(verb, filled(path), {} if verb in {"POST", "PATCH", "PUT"} else None)
        assert answer.status != 404, (verb, path)
        if operation.get("security") != [] and path.startswith("/v1/") and path != "/v1/ws":
            answer.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_every_path_of_the_document_answers_its_reader(mesh: Mesh, document: Any) -> None:
    """With a visitor's token: an answer of a service, in the shape of all, and never a fault of it."""
    token = await mesh.visitor()
    for verb, path, _ in operations(document):
        if path == "/v1/ws" or path in {"/healthz", "/.well-known/jwks.json"}:
            continue
        answer = await mesh.call(verb, filled(path), {} if verb in {"POST", "PATCH", "PUT"} else None, token)
        assert answer.status < 500, (verb, path, answer.raw)
        if answer.status >= 400:
            assert answer.info["reason"] != "INTERNAL"
            assert "no such" not in json.dumps(answer.body["message"]), (verb, path)
