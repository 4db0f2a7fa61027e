"""English, Portuguese, Spanish, Russian: by the browser, by attribute, by choice."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from cli.stack.layout import ROOT
from tests.browser.people import People

pytestmark = pytest.mark.browser
STATIC = ROOT / "gateway" / "web" / "static"
USED = re.compile(r"(?:(?:text|words|button)\(|labelled\(.*, )\"(\w+)\"")
PLACES = re.compile(r"\{(\w+)\}")
LANGUAGES = [
    ("en-GB", "en", "Write a message", "Send", "I expected a name"),
    ("pt-BR", "pt", "Escreva uma mensagem", "Enviar", "Eu esperava um nome"),
    ("es-AR", "es", "Escribe un mensaje", "Enviar", "Esperaba un nombre"),
    ("ru", "ru", "Напишите сообщение", "Отправить", "Нужно: имя"),
    ("de-DE", "en", "Write a message", "Send", "I expected a name"),
]


@pytest.mark.parametrize(("locale", "code", "write", "send", "retry"), LANGUAGES)
async def test_page_and_bot_speak_the_language_of_the_browser(
    people: People, locale: str, code: str, write: str, send: str, retry: str
) -> None:
    ana = await people.at("hello", locale=locale)
    await expect(ana.input).to_have_accessible_name(write)
    await expect(ana.input).to_have_attribute("placeholder", write)
    await expect(ana.part("send")).to_have_accessible_name(send)
    await expect(ana.part("language")).to_have_value(code)
    assert await ana.page.evaluate("document.documentElement.lang") == code
    if locale != "de-DE":
        await ana.say("12345")
        await ana.hear(retry)


async def test_attribute_outweighs_the_browser_and_choice_outweighs_both(people: People) -> None:
    ana = await people.visitor(locale="es-ES")
    await ana.open("/embed-example")
    await ana.online()
    await expect(ana.part("state")).to_have_text("Conectado")
    await ana.run("chat.setAttribute('language', 'ru')")
    await expect(ana.part("state")).to_have_text("На связи")
    await ana.run("chat.remove(); document.querySelector('main').append(chat)")
    await expect(ana.part("state")).to_have_text("На связи")
    await expect(ana.part("log")).to_contain_text("Сегодня")
    await ana.part("language").select_option("pt")
    await expect(ana.part("state")).to_have_text("Conectado")
    await expect(ana.part("log")).to_contain_text("Hoje")
    await ana.run("chat.remove(); document.querySelector('main').append(chat)")
    await expect(ana.input).to_have_accessible_name("Escreva uma mensagem")


async def test_choice_translates_what_is_shown_and_is_kept(people: People) -> None:
    ana = await people.at("hello")
    await ana.introduce()
    await expect(ana.part("log")).to_contain_text("Today")
    await ana.part("language").select_option("ru")
    await expect(ana.part("log")).to_contain_text("Сегодня")
    await expect(ana.said.last).to_contain_text("Вы: ")
    await expect(ana.heard.last.get_by_role("button")).to_have_accessible_name("Копировать")
    assert "Today" not in await ana.part("log").inner_text()
    await ana.page.reload()
    await expect(ana.state).to_have_text("На связи")


async def test_every_text_exists_in_every_language(people: People) -> None:
    ana = await people.visitor()
    await ana.open("/")
    texts = await ana.run("return (await import('/static/texts.js')).TEXTS")
    assert set(texts) == {"en", "pt", "es", "ru"}
    english = texts.pop("en")
    for code, words in texts.items():
        assert set(words) == set(english)
        assert words["code"] == code
        same = {key for key, text in words.items() if text.strip() in {"", english[key]}}
        assert same == set()
        assert {key for key in words if PLACES.findall(words[key]) != PLACES.findall(english[key])} == set()


def test_every_text_that_is_asked_for_exists() -> None:
    asked = {key for path in STATIC.glob("*.js") for key in USED.findall(path.read_text())}
    known = set(re.findall(r"(\w+): [\"]", (STATIC / "texts.js").read_text()))
    assert {"write", "attach", "log", "copy", "tooLarge", "uploading", "noBot"} <= asked
    assert asked <= known


def test_no_file_of_the_page_names_another_place() -> None:
    """What is loaded is here; namespaces and examples are only names."""
    names = re.compile(r"https?://[^\s\"'`<>)]+")
    allowed = {"http://www.w3.org/2000/svg", "https://your.host/embed.js"}
    found = {name for path in served() for name in names.findall(path.read_text())}
    assert {name for name in found if not name.startswith("https?:")} <= allowed


def served() -> list[Path]:
    """Files of the page."""
    return [path for path in STATIC.iterdir() if path.suffix in {".js", ".css", ".html", ".svg"}]
