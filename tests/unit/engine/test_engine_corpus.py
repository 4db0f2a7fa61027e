"""The conformance corpus: tests/basic/*.txt, one test a case."""

import pytest

from services.engine.keywords.registry import registry
from tests.unit.engine.corpus import (
    Case,
    Form,
    Happened,
    cases,
    forms,
    happen,
    holds,
    is_diagnostic,
    is_fact,
    left_behind,
    normal,
    wanted,
)

pytestmark = pytest.mark.unit

CASES = list(cases())
FORMS = list(forms())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.identifier)
def test_a_rule_of_the_language(case: Case) -> None:
    found = happen(case)
    await_keywords(found)
    mistakes = [line for line in case.expected if is_diagnostic(line)]
    if mistakes:
        assert found.diagnostics == mistakes
    else:
        assert not [line for line in found.diagnostics if line.startswith("* error")]
    events = [normal(line) for line in case.expected if not is_diagnostic(line) and not is_fact(line)]
    if found.programs:
        assert found.events == events
    for line in case.expected:
        assert not is_fact(line) or holds(line, found), left_behind(found)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.rule)
def test_a_form_of_a_keyword(form: Form) -> None:
    found = wanted(form.source)
    arguments = [values for keyword, values in found if keyword == form.keyword]
    assert arguments, [keyword for keyword, _ in found]
    if form.arguments is not None:
        assert arguments[0] == form.arguments


def await_keywords(found: Happened) -> None:
    """A case whose keyword has not come yet waits for it; when pending.py is empty, none does."""
    for line in found.events:
        name = line.partition("not available on this installation: ")[2]
        keyword = registry().get(name) if name else None
        if keyword is not None and keyword.group == "pending":
            pytest.skip(f"{name} has not come yet")


def test_the_corpus_is_as_large_as_it_is_meant_to_be() -> None:
    assert len(CASES) >= 400
    assert all(case.rule.startswith("2.") for case in CASES), [case.rule for case in CASES if case.rule[:2] != "2."]
    assert all(case.expected for case in CASES)
