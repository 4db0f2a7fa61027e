"""Every type of HEAR: what people write in four languages, and that nothing they write breaks it."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.hearing.kinds import ALIASES, CONVERTED, VALIDATORS, canonical, choose, heard
from services.engine.keywords.registry import registry
from services.engine.machine import machine as m
from services.engine.machine import wording
from services.engine.program.values import Value, text_of
from tests.unit.engine.scripts import NOON, play, reborn

pytestmark = pytest.mark.unit

KINDS = sorted(VALIDATORS)
NOT_HEARD_AGAIN = {"CREDITCARD"}
"""Of a card only a masked number is kept, which is no number any more."""

IN_FOUR_LANGUAGES = [
    ("BOOLEAN", ("yes", "sim", "sí", "да"), True),
    ("BOOLEAN", ("No!", "não", "NO", "нет"), False),
    ("BOOLEAN", ("sure", "claro", "claro", "конечно"), True),
    ("DATE", ("tomorrow", "amanhã", "mañana", "завтра"), "2026-03-15"),
    ("DATE", ("Yesterday", "ONTEM", "ayer", "вчера"), "2026-03-13"),
    ("DATE", ("today", "hoje", "hoy", "сегодня"), "2026-03-14"),
    ("DATE", ("25 Dec 2026", "25 de dezembro de 2026", "25 de diciembre de 2026", "25 декабря 2026"), "2026-12-25"),
    ("DATE", ("March 5, 2026", "5 mar 2026", "5 marzo 2026", "5 марта 2026 г."), "2026-03-05"),
    ("LANGUAGE", ("Portuguese", "Português", "portugués", "португальский"), "pt"),
    ("LANGUAGE", ("Russian", "russo", "ruso", "русский"), "ru"),
    ("LANGUAGE", ("German", "alemão", "alemán", "немецкий"), "de"),
    ("COLOR", ("red", "vermelho", "rojo", "красный"), "#FF0000"),
    ("COLOR", ("blue", "azul", "azul", "синий"), "#0000FF"),
    ("NAME", ("ana lee", "ana lee", "ana lee", "ana lee"), "Ana Lee"),
    ("MONEY", ("$1,234.50", "R$ 1.234,50", "1.234,50 €", "1 234,50 ₽"), 1234.5),
    ("HOUR", ("2:30 pm", "14h30", "14:30", "14.30"), "14:30"),
]
MORE = [
    ("DATE", "1/2/2026", "2026-02-01"),
    ("DATE", "12/25/2026", "2026-12-25"),
    ("DATE", "31.12.2026", "2026-12-31"),
    ("DATE", "12.31.2026", None),
    ("DATE", "2026-12-31", "2026-12-31"),
    ("DATE", "2026/1/5", "2026-01-05"),
    ("DATE", "5-1-2026", "2026-01-05"),
    ("DATE", "31/02/2026", None),
    ("DATE", "29/02/2024", "2024-02-29"),
    ("DATE", "٢٥/١٢/٢٠٢٦", "2026-12-25"),
    ("NAME", "maria-josé d'ávila", "Maria-josé D'ávila"),
    ("NAME", "иван петров", "Иван Петров"),
    ("NAME", "x" * 101, None),
    ("NAME", "--", None),
    ("NAME", "ana@home", None),
    ("INTEGER", "1 234 567", 1234567),
    ("INTEGER", "12a", None),
    ("FLOAT", "3,5", 3.5),
    ("FLOAT", "2.345", 2.35),
    ("FLOAT", ".5", 0.5),
    ("MONEY", "£ 10", 10.0),
    ("MONEY", "¥1000", 1000.0),
    ("MONEY", "R$ 1.000", 1000.0),
    ("MONEY", "0,99", 0.99),
    ("MONEY", "9" * 400, None),
    ("MOBILE", "+55 (11) 98765-4321", "+5511987654321"),
    ("MOBILE", "call me", None),
    ("MOBILE", "1234567890123456", None),
    ("ZIPCODE", "90210-1234", "90210-1234"),
    ("ZIPCODE", "ec1a1bb", "EC1A 1BB"),
    ("LANGUAGE", "pt-BR", "pt"),
    ("CPF", "52998224725", "529.982.247-25"),
    ("CPF", "my number is 52998224725", None),
    ("CNPJ", "11.222.333/0001-81", "11.222.333/0001-81"),
    ("URL", "HTTPS://Example.com:8080/a?b=c", "HTTPS://Example.com:8080/a?b=c"),
    ("URL", "example.com:99999", None),
    ("URL", "javascript:alert(1)", None),
    ("COLOR", "#fff", "#FFFFFF"),
    ("CREDITCARD", "5555-5555-5555-4444", "5555 **** **** 4444 Mastercard"),
    ("CREDITCARD", "378282246310005", "3782 **** **** 0005 American Express"),
    ("CREDITCARD", "6011111111111117", "6011 **** **** 1117 Discover"),
    ("PASSWORD", "1234567", None),
    ("PASSWORD", "12345678", "[PASSWORD]"),
    ("EMAIL", "Ana <ana@example.com>", None),
    ("EMAIL", "ana@example..com", None),
]


@pytest.mark.parametrize(("kind", "said", "meaning"), IN_FOUR_LANGUAGES)
def test_the_same_in_four_languages(kind: str, said: tuple[str, ...], meaning: Value) -> None:
    assert [heard(kind, text, [], NOON) for text in said] == [meaning] * len(said)


@pytest.mark.parametrize(("kind", "said", "meaning"), MORE)
def test_more_answers(kind: str, said: str, meaning: Value) -> None:
    assert heard(kind, said, [], NOON) == meaning


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_an_alias_is_its_type(alias: str) -> None:
    assert canonical(alias.lower()) == ALIASES[alias]
    assert canonical(ALIASES[alias]) == ALIASES[alias]


ANSWERS = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[-+$€ ]?[0-9.,]{1,20}", fullmatch=True),
    st.from_regex(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}", fullmatch=True),
    st.dates().map(lambda day: day.strftime("%d/%m/%Y")),
    st.text("0123456789 ()-+./", max_size=24),
    st.text("абвãéßŉ' -.", max_size=110),
    st.emails(),
)


@settings(max_examples=300, deadline=None)
@given(kind=st.sampled_from(KINDS), said=ANSWERS)
def test_nothing_breaks_a_type_and_what_is_understood_is_understood_again(kind: str, said: str) -> None:
    found = heard(kind, said, [], NOON)
    if found is None or kind in NOT_HEARD_AGAIN:
        return
    assert heard(kind, text_of(found), [], NOON) == found


@given(day=st.dates(datetime.date(1900, 1, 1), datetime.date(2199, 12, 31)))
def test_a_day_in_any_of_its_spellings(day: datetime.date) -> None:
    for pattern in ("%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y"):
        assert heard("DATE", day.strftime(pattern), [], NOON) == day.isoformat()


@given(options=st.lists(st.text(max_size=12), max_size=6), said=st.text(max_size=12))
def test_a_menu_gives_one_of_its_options_or_nothing(options: list[str], said: str) -> None:
    found = choose(options, said)
    assert found is None or found in options


@pytest.mark.parametrize(
    ("said", "chosen"),
    [
        ("Café", "Café"),
        ("cafe", "Café"),
        ("CAFÉ ", "Café"),
        ("1", "Café"),
        ("2.", "Chá verde"),
        ("#3", "Chá preto"),
        ("verde", "Chá verde"),
        ("cha", None),
        ("0", None),
        ("4", None),
        ("água", None),
    ],
)
def test_a_menu_without_accents(said: str, chosen: str | None) -> None:
    assert choose(["Café", "Chá verde", "Chá preto"], said) == chosen


def test_an_option_that_is_a_number_comes_before_a_position() -> None:
    assert choose(["2", "1"], "1") == "1"


PICTURE = m.Input("", attachments=({"name": "a.png", "uri": "files/1", "content_type": "image/png"},), locale="pt")


def scanner(texts: list[Value]) -> object:
    """Gives one text after the other."""
    return lambda wanted: m.EffectResult(texts.pop(0))


def test_a_code_is_read_from_the_picture() -> None:
    played = play("HEAR x AS QRCODE\nTALK x", [PICTURE], performer=scanner(["order 7"]), between=reborn)  # type: ignore[arg-type]
    assert played.said == ["order 7"]
    assert [item.arguments for item in played.effects] == [{"sent": "files/1"}]


def test_a_picture_without_a_code_is_asked_for_again_in_the_persons_language() -> None:
    played = play("HEAR x AS QRCODE\nTALK x", [PICTURE, PICTURE], performer=scanner([None, "order 7"]), between=reborn)  # type: ignore[arg-type]
    assert played.said == [
        wording.say("retry", "pt", expected=wording.say("QRCODE", "pt")),
        "order 7",
    ]


def test_the_third_picture_without_a_code_is_an_error() -> None:
    source = "TRY\nHEAR x AS QRCODE\nCATCH e\nTALK e\nEND TRY"
    played = play(source, [PICTURE] * 3, performer=scanner([None] * 3), between=reborn)  # type: ignore[arg-type]
    assert played.said[-1] == "no answer of type QRCODE after 3 attempts"


def test_what_cannot_be_turned_into_text_is_an_error_that_can_be_caught() -> None:
    voice = m.Input("", attachments=({"name": "a.ogg", "uri": "files/1", "content_type": "audio/ogg"},))
    refusal = m.EffectError("not available on this installation: HEAR AUDIO")
    played = play("TRY\nHEAR x AS VOICE\nCATCH e\nTALK e\nEND TRY", [voice], performer=lambda _: refusal)
    assert played.said == [refusal.message]


def test_whoever_is_not_signed_in_is_asked_to() -> None:
    played = play("HEAR x AS LOGIN\nTALK x", ["hi", "hi"], performer=scanner([None, "users/ana"]))  # type: ignore[arg-type]
    assert played.said == ["Sorry, I did not understand that. I expected you to sign in first.", "users/ana"]


def test_each_conversion_is_a_keyword() -> None:
    assert all(registry().get(name) is not None for name in CONVERTED.values())


@pytest.mark.parametrize("form", ['HEAR x AS INTEGER "How many?"', 'HEAR x AS INTEGER, "How many?"'])
def test_a_prompt_with_a_type(form: str) -> None:
    assert play(f"{form}\nTALK x", ["2"]).said == ["How many?", "2"]


@pytest.mark.parametrize(
    ("locale", "config", "language"),
    [("pt-BR", {"language": "es"}, "pt-BR"), ("", {"language": "es"}, "es"), ("", {"bot-language": "ru"}, "ru")],
)
def test_the_language_of_a_person_comes_before_the_bots(locale: str, config: dict[str, str], language: str) -> None:
    assert wording.language_of(locale, config) == language


@pytest.mark.parametrize("language", ["en", "pt", "es", "ru"])
@pytest.mark.parametrize("kind", [*KINDS, "FILE", "DOCUMENT", "IMAGE", "AUDIO", "VIDEO", "QRCODE"])
def test_every_type_is_asked_for_again_in_every_language(kind: str, language: str) -> None:
    assert wording.WORDS[language][kind] != wording.WORDS[language]["other"]
