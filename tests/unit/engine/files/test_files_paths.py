import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engine.files.paths import clean_folder, clean_path, ending_of, is_attachment, with_ending
from services.engine.program.values import ProgramError
from tests.unit.engine.files.hostile import ELSEWHERE

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("path", ELSEWHERE)
def test_what_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ProgramError, match="is no path"):
        clean_path(path)


@pytest.mark.parametrize("path", [path for path in ELSEWHERE if path.lower()[:2] != "c:"])
def test_what_leads_elsewhere_is_refused_within_a_path_too(path: str) -> None:
    with pytest.raises(ProgramError, match="is no path"):
        clean_path(f"reports/{path}")


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("a.txt", "a.txt"),
        (" reports/july 2026.pdf ", "reports/july 2026.pdf"),
        ("отчёты/июль.pdf", "отчёты/июль.pdf"),
        ("cafe\u0301.txt", "caf\u00e9.txt"),
        ("100%.csv", "100%.csv"),
        ("..a/b...txt", "..a/b...txt"),
        ("shop.gbdrive/prices.csv", "prices.csv"),
        ("Meeting 10:30.txt", "Meeting 10:30.txt"),
    ],
)
def test_plain_paths_are_taken(path: str, clean: str) -> None:
    assert clean_path(path) == clean


@pytest.mark.parametrize("path", ["", "  ", "reports/", None, 5, ["a.txt"], "a" * 500, "a/" + "b" * 300])
def test_what_names_no_file_is_refused(path: object) -> None:
    with pytest.raises(ProgramError):
        clean_path(path)


@pytest.mark.parametrize(("path", "clean"), [("", ""), ("/", ""), (".", ""), ("reports/", "reports"), ("a/b", "a/b")])
def test_folders(path: str, clean: str) -> None:
    assert clean_folder(path) == clean


@given(st.text(alphabet=st.sampled_from("a./\\:%25ef ~\u2024\uff0e\uff0f\u202e\x00\u200b"), max_size=30))
def test_no_text_leads_out_of_the_drive(text: str) -> None:
    try:
        path = clean_path(text)
    except ProgramError:
        return
    assert not path.startswith("/")
    assert "\\" not in path
    assert not {"", ".", ".."} & set(path.split("/"))
    assert clean_path(path) == path


def test_attachments_are_known_by_their_shape() -> None:
    assert is_attachment("files/0190e0f0-0000-7000-8000-000000000001")
    assert not is_attachment("files/0190e0f0")
    assert not is_attachment("files/0190e0f0-0000-7000-8000-000000000001/x")


def test_endings() -> None:
    assert ending_of("a.b/c.TXT") == "txt"
    assert not ending_of("a.b/c")
    assert with_ending("a.b/c.md", "pdf") == "a.b/c.pdf"
    assert with_ending("a.b/c", "pdf") == "a.b/c.pdf"
