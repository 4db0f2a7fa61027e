import io
import stat
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engine.files.documents import archives
from services.engine.program.values import ProgramError
from tests.unit.engine.files.hostile import ELSEWHERE, archive

pytestmark = pytest.mark.unit
FILES = st.dictionaries(st.text("abc", min_size=1, max_size=5), st.binary(max_size=200), max_size=5)


def refused(content: bytes, why: str) -> None:
    with pytest.raises(ProgramError, match=why):
        archives.extract(content)


@given(FILES)
def test_what_goes_in_comes_out(files: dict[str, bytes]) -> None:
    packed = archives.compress(list(files), list(files.values()))
    assert {str(path): data for path, data in archives.extract(packed)} == files
    assert packed == archives.compress(list(files), list(files.values()))


@pytest.mark.parametrize("path", [path for path in ELSEWHERE if "\x00" not in path])
def test_what_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ProgramError):
        archives.extract(archive((path, b"x")))


def test_a_bomb_by_its_ratio() -> None:
    refused(archive(("zeros", bytes(20 * 1024**2))), "grows more than")


def test_a_bomb_by_its_count() -> None:
    refused(archive(*((f"{number}", b"") for number in range(archives.MOST_ENTRIES + 1))), "entries")


def test_a_bomb_by_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST_ENTRY", 1000)
    refused(archive(("a", bytes(range(256)) * 4)), "too large")


def test_a_bomb_by_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST_TOTAL", 1000)
    refused(archive(*((f"{number}", bytes(range(200))) for number in range(6))), "too large")


def test_a_bomb_that_lies_about_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST_ENTRY", 1000)
    content = bytearray(archive(("a", bytes(range(256)) * 40)))
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 10)
    with pytest.raises(ProgramError):
        archives.extract(bytes(content))


def test_an_archive_in_an_archive_stays_one() -> None:
    inner = archive(("zeros", bytes(20 * 1024**2)))
    assert archives.extract(archive(("inner.zip", inner))) == [["inner.zip", inner]]


def test_links_are_refused() -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(archive((link, b"/etc/passwd")), "link")


def test_two_of_one_name_are_refused() -> None:
    refused(archive(("a.txt", b"1"), ("A.TXT", b"2")), "two files")


def test_secrets_are_refused() -> None:
    content = bytearray(archive(("a", b"x")))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    refused(bytes(content), "password")


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04" + bytes(100)])
def test_no_archive(content: bytes) -> None:
    refused(content, "no ZIP archive")


@given(st.binary(max_size=60), st.integers(0, 400))
def test_damage_never_breaks_the_reader(damage: bytes, at: int) -> None:
    content = bytearray(archive(("a.txt", b"hello " * 50), ("b/c.txt", b"x")))
    content[at % len(content) : at % len(content) + len(damage)] = damage
    try:
        archives.extract(bytes(content))
    except ProgramError:
        return


def test_folders_are_not_files() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.mkdir("folder")
        made.writestr("folder/a", b"1")
    assert archives.extract(out.getvalue()) == [["folder/a", b"1"]]
