"""A program's listing is read back as the same program, node by node."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.stack.layout import ROOT
from services.engine.basic.compiler import compile_basic
from services.engine.basic.listing import RAW, NoListing, expression, print_program, read_expression, read_program
from services.engine.program.program import Program
from tests.unit.engine.programs import sources, texts

pytestmark = pytest.mark.unit

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def compiled(source: str) -> Program:
    result = compile_basic(source, "script.bas")
    assert result.program is not None, result.diagnostics
    return result.program


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(source=sources())
def test_a_listing_is_read_as_the_same_program(source: str) -> None:
    program = compiled(source)
    listing = print_program(program)
    assert json.dumps(read_program(listing).to_json()) == json.dumps(program.to_json()), listing


@pytest.mark.parametrize("path", sorted(ROOT.glob("bots/**/*.bas")), ids=lambda path: path.name)
def test_shipped_scripts_come_back_and_are_readable(path: Path) -> None:
    program = compiled(path.read_text())
    listing = print_program(program)
    assert read_program(listing).digest() == program.digest()
    assert f'{RAW}["' not in listing.replace(f"catch: {RAW}", ""), "every expression of these has a BASIC text"


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(texts, st.text(max_size=20)), number=st.integers(-(10**20), 10**20))
def test_any_expression_comes_back(text: str, number: int) -> None:
    for encoded in (
        ["lit", text],
        ["lit", number],
        ["map", [text, ["var", "$12"]]],
        ["text", ["lit", text], ["lit", "b"]],
    ):
        assert read_expression(expression(encoded)) == encoded


def test_a_listing_reads_like_basic() -> None:
    listing = print_program(compiled('IF a > 1 THEN TALK "x ${a + 1}"\nb = FIND "t", "n=1"'))
    assert '"n2" @1 say text: "x ${a + 1}" | next: "n3"' in listing
    assert '[["a > 1", "n2"]]' in listing


@pytest.mark.parametrize(
    "listing", ["x", '"n1" @1 set value: 1 +', '"n1" @x say', 'PROGRAM "a"', '"n1" @1 set value: f(', "SUB 1"]
)
def test_what_is_no_listing_is_refused_with_its_line(listing: str) -> None:
    with pytest.raises(NoListing, match="line 2: "):
        read_program(f"\n{listing}")


@pytest.mark.parametrize("source", ['TALK "${CARD "a", "b" TO x}"', 'TALK "_"\nTALK "b"'])
def test_what_made_up_programs_found_stays_found(source: str) -> None:
    assert [item.code for item in compile_basic(source, "script.bas").diagnostics if item.severity == "error"] == []
