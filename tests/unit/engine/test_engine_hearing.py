import pytest

from services.engine.hearing import kinds as validation
from services.engine.machine import machine as m
from services.engine.machine import wording
from tests.unit.engine.scripts import NOON, play

pytestmark = pytest.mark.unit

UNDERSTOOD = [
    ("EMAIL", " Ana@Example.COM ", "ana@example.com"),
    ("DATE", "25/12/2026", "2026-12-25"),
    ("DATE", "25-12-2026", "2026-12-25"),
    ("DATE", "2026-12-25", "2026-12-25"),
    ("DATE", "2026/12/25", "2026-12-25"),
    ("DATE", "25.12.2026", "2026-12-25"),
    ("DATE", "12/25/2026", "2026-12-25"),
    ("DATE", "03/04/2026", "2026-04-03"),
    ("DATE", "25 Dec 2026", "2026-12-25"),
    ("DATE", "tomorrow", "2026-03-15"),
    ("DATE", "ontem", "2026-03-13"),
    ("NAME", "ana maria d'souza", "Ana Maria D'souza"),
    ("INTEGER", "1,234", 1234),
    ("INT", "1.234", 1234),
    ("NUMBER", "-5", -5),
    ("FLOAT", "3,14159", 3.14),
    ("DECIMAL", "1.234,50", 1234.5),
    ("DOUBLE", "2", 2.0),
    ("BOOLEAN", "Sim", True),
    ("BOOL", "nein", False),
    ("HOUR", "2:30 pm", "14:30"),
    ("TIME", "09:05", "09:05"),
    ("HOUR", "12 am", "00:00"),
    ("MONEY", "R$ 1.234,56", 1234.56),
    ("CURRENCY", "$1,234.56", 1234.56),
    ("AMOUNT", "€ 20", 20.0),
    ("MOBILE", "11 98765-4321", "(11) 98765-4321"),
    ("PHONE", "1187654321", "(11) 8765-4321"),
    ("TELEPHONE", "+44 20 7946 095812", "+4420794609" + "5812"),
    ("ZIPCODE", "01310-100", "01310-100"),
    ("CEP", "01310100", "01310-100"),
    ("ZIP", "90210", "90210"),
    ("POSTALCODE", "sw1a 1aa", "SW1A 1AA"),
    ("LANGUAGE", "Português", "pt"),
    ("LANG", "ru", "ru"),
    ("CPF", "529.982.247-25", "529.982.247-25"),
    ("CNPJ", "11222333000181", "11.222.333/0001-81"),
    ("URL", "example.com/a", "https://example.com/a"),
    ("LINK", "http://example.com", "http://example.com"),
    ("UUID", "12345678123456781234567812345678", "12345678-1234-5678-1234-567812345678"),
    ("COLOR", "red", "#FF0000"),
    ("COLOUR", "#fa0", "#FFAA00"),
    ("COLOR", "rgb(1, 2, 255)", "#0102FF"),
    ("CREDITCARD", "4111 1111 1111 1111", "4111 **** **** 1111 Visa"),
    ("PASSWORD", "long enough", "[PASSWORD]"),
    ("STRING", " anything ", "anything"),
]
REFUSED = [
    ("EMAIL", "ana@example"),
    ("EMAIL", "two words@example.com"),
    ("DATE", "30/02/2026"),
    ("DATE", "soon"),
    ("NAME", "X"),
    ("NAME", "R2D2"),
    ("INTEGER", "many"),
    ("INTEGER", "9" * 40),
    ("FLOAT", "1e5"),
    ("BOOLEAN", "perhaps"),
    ("HOUR", "25:00"),
    ("HOUR", "13 pm"),
    ("MONEY", "a lot"),
    ("MOBILE", "12345"),
    ("ZIPCODE", "123"),
    ("LANGUAGE", "klingon"),
    ("CPF", "529.982.247-26"),
    ("CPF", "111.111.111-11"),
    ("CNPJ", "11222333000182"),
    ("URL", "not a url"),
    ("UUID", "123"),
    ("COLOR", "#12345"),
    ("COLOR", "rgb(1,2,256)"),
    ("CREDITCARD", "4111 1111 1111 1112"),
    ("PASSWORD", "short"),
    ("STRING", "   "),
]


@pytest.mark.parametrize(("kind", "text", "meaning"), UNDERSTOOD)
def test_what_an_answer_means(kind: str, text: str, meaning: object) -> None:
    assert validation.heard(kind, text, [], NOON) == meaning


@pytest.mark.parametrize(("kind", "text"), REFUSED)
def test_what_is_no_answer(kind: str, text: str) -> None:
    assert validation.heard(kind, text, [], NOON) is None


@pytest.mark.parametrize(
    "text", ["٣", "1" * 5000, "\0", "9999999999/9/9", "²", "١٢/١٢/٢٠٢٤", "99999999999999999999 days"]
)
@pytest.mark.parametrize("kind", sorted(validation.VALIDATORS))
def test_no_answer_breaks_a_validator(kind: str, text: str) -> None:
    validation.heard(kind, text, [], NOON)


@pytest.mark.parametrize(
    ("kind", "content", "fits"),
    [
        ("FILE", "text/plain", True),
        ("PDF", "application/pdf", True),
        ("IMAGE", "image/png", True),
        ("PHOTO", "text/plain", False),
        ("AUDIO", "audio/ogg", True),
        ("VOICE", "video/mp4", False),
        ("VIDEO", "video/mp4", True),
        ("QRCODE", "image/png", True),
    ],
)
def test_a_file_is_taken_by_its_kind(kind: str, content: str, fits: bool) -> None:
    file = {"name": "f", "uri": "files/1", "content_type": content}
    assert validation.heard(kind, "", [file], NOON) == ("files/1" if fits else None)


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [("2", "Green tea"), ("green TEA", "Green tea"), ("green", "Green tea"), ("tea", None), ("9", None), ("", None)],
)
def test_a_menu_takes_a_number_the_words_or_a_part_only_one_has(answer: str, chosen: str | None) -> None:
    assert validation.choose(["Black tea", "Green tea"], answer) == chosen


def test_a_menu_comes_with_its_choices_and_again_after_a_wrong_answer() -> None:
    played = play('TALK "Which?"\nHEAR x AS "Tea", "Coffee"\nTALK x', ["milk", "2"])
    assert played.suggestions == [["Tea", "Coffee"], ["Tea", "Coffee"]]
    assert played.said[-1] == "Coffee"


def test_a_menu_may_be_a_list_of_the_script() -> None:
    assert play('choices = ["A", "B"]\nHEAR x AS [choices]\nTALK x', ["b"]).said == ["B"]


@pytest.mark.parametrize("form", ["HEAR x", "x = HEAR", "HEAR x AS STRING", "hear X"])
def test_forms_of_hear(form: str) -> None:
    assert play(f"{form}\nTALK x", ["hello"]).said == ["hello"]


def test_a_prompt_may_stand_in_hear() -> None:
    assert play('HEAR x AS NAME "Who are you?"\nTALK x', ["ana"]).said == ["Who are you?", "Ana"]


def test_three_wrong_answers_are_an_error_that_a_script_may_catch() -> None:
    source = 'TRY\nHEAR x AS EMAIL\nCATCH e\nTALK "gave up: ${e}"\nEND TRY'
    played = play(source, ["a", "b", "c"])
    assert len(played.said) == 3
    assert played.said[-1].startswith("gave up: no answer of type EMAIL")


def test_three_wrong_answers_nobody_catches_end_the_script() -> None:
    assert "EMAIL" in play("HEAR x AS EMAIL", ["a", "b", "c"]).error


@pytest.mark.parametrize(
    ("locale", "word"), [("en", "Sorry"), ("pt-BR", "Desculpe"), ("es", "Perdón"), ("ru", "Извините"), ("xx", "Sorry")]
)
def test_asking_again_in_the_persons_language(locale: str, word: str) -> None:
    assert play("HEAR x AS DATE", [m.Input("?", locale=locale)]).said[0].startswith(word)


def test_every_type_can_be_asked_for_in_every_language() -> None:
    kinds = {*validation.VALIDATORS, "CHOICE", "FILE", "retry", "failed"}
    for language, words in wording.WORDS.items():
        assert kinds <= set(words), language


def test_a_variable_named_like_a_type_does_not_hide_the_type() -> None:
    """HEAR name AS NAME asks for a name; AS drinks asks for one of the drinks."""
    assert play("HEAR name AS NAME\nTALK name", ["ana silva"]).said == ["Ana Silva"]
    chosen = play('drinks = ["Tea", "Coffee"]\nHEAR x AS drinks\nTALK x', ["cof"])
    assert chosen.said == ["Coffee"]
