"""Paths and archives of those who want elsewhere."""

import io
import zipfile

ELSEWHERE = [
    "..",
    "../a.txt",
    "a/../../b.txt",
    "a/./b.txt",
    "/etc/passwd",
    "//host/share",
    "\\\\host\\share",
    "a\\..\\b",
    "C:\\windows\\win.ini",
    "C:/windows/win.ini",
    "c:a.txt",
    "file:///etc/passwd",
    "http://example.com/a",
    "a//b.txt",
    "a\x00.txt",
    "a\nb.txt",
    "\uff0e\uff0e/a.txt",
    "\u2024\u2024/a.txt",
    "\u2025/a.txt",
    "..\uff0fa.txt",
    "..\uff3ca.txt",
    "%2e%2e/a.txt",
    "..%2fa.txt",
    "%2e%2e%2fetc%2fpasswd",
    "..%5ca.txt",
    "..%00/a.txt",
    "gpj\u202eexe.txt",
    ".\u200b./a.txt",
    "a/\u200b/b.txt",
    " /.. /a.txt",
]


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
