"""Text messages to telephones: the wire of Twilio, and any provider that takes one HTTP request."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from services.engine.mail.filling import filled
from services.engine.mail.people import phone
from services.engine.program.values import ProgramError, Value, look_up, text_of
from services.engine.web.bodies import json_of
from services.engine.web.port import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.common.cache import Cache
    from services.engine.keywords.world import World
    from services.engine.web.port import Web

LONGEST = 1600
REMEMBERED_SECONDS = 86_400
TWILIO = "https://api.twilio.com"
FORM = "application/x-www-form-urlencoded"
PRIORITIES = ("low", "normal", "high", "urgent")
NAMES = ("sid", "id", "message_id")
PROVIDERS = ("twilio", "custom")


class HttpTexter:
    """The `Texter` of this installation: providers of the bot's config.csv, asked through the guarded web."""

    def __init__(self, web: Web, cache: Cache, twilio: str = TWILIO) -> None:
        self._web = web
        self._cache = cache
        self._twilio = twilio

    async def send(self, world: World, number: str, text: str, *, provider: str = "", priority: str = "") -> str:
        """See `Texter`. The fallback is asked when the first one fails; what is known to be sent is not repeated."""
        if not text or len(text) > LONGEST:
            message = f"a text message has 1 to {LONGEST} characters, this one has {len(text)}"
            raise ProgramError(message)
        how, to = ranked(world.config, priority), phone(number)
        mark = f"sms:sent:{world.tenant}:{world.key}:{to}"
        known = await self._cache.get(mark)
        if known is not None:
            return known.decode()
        name = await self._by_any(world, chosen(world.config, provider), to, text, how)
        await self._cache.set(mark, name.encode(), REMEMBERED_SECONDS)
        return name

    async def _by_any(self, world: World, names: list[str], to: str, text: str, priority: str) -> str:
        failure: ProgramError | None = None
        for name in names:
            try:
                return await self._by(world, name, to, text, priority)
            except ProgramError as error:
                failure = failure or error
        raise failure or ProgramError(nothing())

    async def _by(self, world: World, provider: str, to: str, text: str, priority: str) -> str:
        if provider == "twilio":
            request = twilio_request(self._twilio, world.config, to, text)
        else:
            request = custom_request(world.config, to, text, priority)
        response = await self._web.ask(world, request)
        if not 200 <= response["status"] < 300:
            message = f"the provider of text messages ({provider}) refused it ({response['status']})"
            raise ProgramError(message)
        data = response["data"]
        names = [look_up(data, field) for field in NAMES] if isinstance(data, dict) else []
        return next((text_of(name)[:200] for name in names if name), "sent")


def nothing() -> str:
    """What is said to a bot without a provider."""
    return "not available on this installation: text messages. Put sms-provider and its keys in config.csv"


def chosen(config: Mapping[str, str], wanted: str) -> list[str]:
    """Providers in the order they are asked. ProgramError for one that is not here."""
    first = (wanted or config.get("sms-provider", "") or guessed(config)).strip().lower()
    names = [name for name in (first, config.get("sms-fallback-provider", "").strip().lower()) if name]
    if not names:
        raise ProgramError(nothing())
    for name in names:
        if name not in PROVIDERS:
            message = f"not available on this installation: text messages through {name[:40]}"
            raise ProgramError(message)
    return list(dict.fromkeys(names))


def guessed(config: Mapping[str, str]) -> str:
    """The provider that keys are there for."""
    if config.get("twilio-account-sid"):
        return "twilio"
    return "custom" if config.get("sms-custom-url") else ""


def ranked(config: Mapping[str, str], priority: str) -> str:
    """The priority. ProgramError for one that is none."""
    name = (priority or config.get("sms-default-priority", "") or "normal").strip().lower()
    if name not in PRIORITIES:
        message = f"the priority of a text message is one of {', '.join(PRIORITIES)}, there is {name[:40]!r}"
        raise ProgramError(message)
    return name


def needed(config: Mapping[str, str], *keys: str) -> str:
    """The first of some keys that is there. ProgramError that names them."""
    found = next((config[key].strip() for key in keys if config.get(key, "").strip()), "")
    if not found:
        message = f"text messages need {' or '.join(keys)} in config.csv"
        raise ProgramError(message)
    return found


def twilio_request(base: str, config: Mapping[str, str], to: str, text: str) -> Request:
    """POST /2010-04-01/Accounts/{sid}/Messages.json."""
    sid, token = needed(config, "twilio-account-sid"), needed(config, "twilio-auth-token")
    if not sid.isalnum():
        message = "twilio-account-sid is letters and digits"
        raise ProgramError(message)
    body: dict[str, Value] = {"To": to, "Body": text}
    if config.get("twilio-messaging-service-sid"):
        body["MessagingServiceSid"] = config["twilio-messaging-service-sid"]
    else:
        body["From"] = needed(config, "twilio-from-number", "twilio-phone-number")
    if config.get("twilio-status-callback"):
        body["StatusCallback"] = config["twilio-status-callback"]
    secret = base64.b64encode(f"{sid}:{token}".encode()).decode()
    headers = {"Authorization": f"Basic {secret}", "Content-Type": FORM}
    url = f"{base}/2010-04-01/Accounts/{sid}/Messages.json"
    return Request(method="POST", url=url, body=body, headers=headers, bare=True)


def custom_request(config: Mapping[str, str], to: str, text: str, priority: str) -> Request:
    """What `sms-custom-...` describes: a template of the body with {{to}}, {{from}}, {{message}}, {{priority}}."""
    values: dict[str, Value] = {
        "to": to, "phone": to, "from": config.get("sms-custom-from", ""), "message": text, "text": text,
        "priority": priority,
    }  # fmt: skip
    template = config.get("sms-custom-body-template", "")
    headers = {"Content-Type": "application/json"}
    secret = config.get("sms-custom-auth-header", "").strip()
    if secret:
        name, mark, value = secret.partition(":")
        headers[name.strip() if mark else "Authorization"] = value.strip() if mark else secret
    body: Value = {name: values[name] for name in ("to", "from", "message", "priority")}
    if template:
        body = filled(template, {name: quoted(text_of(value)) for name, value in values.items()}, escape=False)
    method = config.get("sms-custom-method", "").strip().upper() or "POST"
    if method not in {"POST", "PUT"}:
        message = f"sms-custom-method is POST or PUT, there is {method[:20]!r}"
        raise ProgramError(message)
    return Request(method=method, url=needed(config, "sms-custom-url"), body=body, headers=headers, bare=True)


def quoted(text: str) -> str:
    """Within a text of JSON: no message can end it."""
    return json_of(text)[1:-1].decode()
