"""Tenants with something of everything, for tests of the walls between them."""

import asyncio
import base64
import uuid
from dataclasses import dataclass, field

from tests.doubles.webhook_receiver import WebhookReceiver
from tests.mesh.mesh_talk import Talk, subject_of
from tests.mesh.mesh_world import Mesh
from tests.waiting import until

SCRIPT = 'TALK "{secret} greets you"\nHEAR anything\nTALK "{secret} heard ${{anything}}"\n'

SETTLED_SECONDS = 1.2  # the llm service writes its accounts twice a second


@dataclass
class Estate:
    """A tenant and a resource of each kind. `secret`: a word that is in all of them and nowhere else.

    `rows`: a digest of each table's rows.
    """

    tenant: str
    slug: str
    owner: str
    admin: str
    secret: str
    names: list[str] = field(default_factory=list)
    rows: dict[str, str] = field(default_factory=dict)


async def furnish(mesh: Mesh, receiver: WebhookReceiver) -> Estate:
    """Make a tenant and, through the edge, one resource of every kind in it."""
    slug, owner = await mesh.make_tenant()
    secret = f"secret{uuid.uuid4().hex[:10]}"
    name = (await mesh.ok("GET", "/v1/tenants/mine", token=owner))["name"]
    made = Estate(name.removeprefix("tenants/"), slug, owner, await mesh.member(owner, slug, "admin"), secret, [name])
    await people(mesh, made)
    await knowledge(mesh, made)
    await conversation(mesh, made)
    await channel(mesh, made, receiver)
    made.rows = await settled(mesh, made)
    return made


async def settled(mesh: Mesh, made: Estate) -> dict[str, str]:
    """Digests of its rows, once what was told in the background has been told."""
    last: list[dict[str, str]] = [{}]

    async def same() -> bool:
        last.append(await mesh.rows(made.tenant))
        await asyncio.sleep(SETTLED_SECONDS)
        return last[-1] == last[-2]

    await until(same)
    return last[-1]


async def people(mesh: Mesh, made: Estate) -> None:
    """An account and a key."""
    person = {"email": f"{made.secret}@example.com", "display_name": made.secret, "roles": ["user"]}
    made.names.append((await mesh.ok("POST", "/v1/users", {"user": person}, made.owner))["name"])
    key = await mesh.ok("POST", "/v1/apiKeys", {"display_name": made.secret, "roles": ["user"]}, made.owner)
    made.names.append(key["name"])


async def knowledge(mesh: Mesh, made: Estate) -> None:
    """A bot, its version, a document it knows, a file."""
    bot = f"bots/{made.secret}"
    await mesh.ok("POST", f"/v1/bots?bot_id={made.secret}", {"display_name": made.secret}, made.owner)
    scripts = [
        {"path": "start.bas", "text": SCRIPT.format(secret=made.secret)},
        {"path": "yearly.bas", "text": f'SET SCHEDULE "0 0 1 1 *"\nPRINT "{made.secret}"\n'},
        {"path": "called.bas", "text": f'WEBHOOK "{made.secret}"\nRETURN "{made.secret}"\n'},
    ]
    version = await mesh.ok("POST", f"/v1/{bot}/versions", {"scripts": scripts}, made.owner)
    words = base64.b64encode(f"# {made.secret}\n\nThe password of {made.secret} is {made.secret}.\n".encode()).decode()
    parent = f"{bot}/collections/{made.secret}"
    imported = {"path": f"{made.secret}.md", "content": words}
    document = (await mesh.ok("POST", f"/v1/{parent}/documents:import", imported, made.owner))["name"]

    async def live() -> bool:
        return bool((await mesh.ok("GET", f"/v1/{document}", token=made.owner))["state"] == "STATE_LIVE")

    await until(live)
    file = await mesh.ok("POST", "/v1/files", {"path": f"{made.secret}.txt", "content": words}, made.owner)
    made.names += [bot, version["name"], parent, document, file["name"]]
    for kind in ("schedules", "webhooks"):
        listed = await mesh.ok("GET", f"/v1/{bot}/{kind}", token=made.owner)
        made.names.append(listed[kind][0]["name"])


async def conversation(mesh: Mesh, made: Estate) -> None:
    """A visitor's session that has waited for a message, and variables of all it belongs to."""
    talk = await Talk.begin(mesh, made.secret, await mesh.visitor(made.slug))
    visitor = subject_of(talk.token)
    made.names += [talk.name, visitor]
    variables = {"variables": [{"key": made.secret, "value": made.secret}]}
    user = next(name for name in made.names if name.startswith("users/"))
    for parent in (talk.name, visitor, user, f"bots/{made.secret}", f"channels/{made.secret}"):
        await mesh.ok("POST", f"/v1/{parent}/variables:merge", variables, made.owner)


async def channel(mesh: Mesh, made: Estate, receiver: WebhookReceiver) -> None:
    """A channel with a delivery."""
    body = {
        "kind": "KIND_WEBHOOK",
        "bot": f"bots/{made.secret}",
        "display_name": made.secret,
        "webhook": {"uri": receiver.url},
    }
    path = f"/v1/channels?channel_id={made.secret}"
    made.names.append((await mesh.ok("POST", path, body, made.owner))["name"])
