"""What a file may be called, and what it is: pure functions."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.files.sniffing import contradicts, sniff
from clientela.normalize import is_safe_file_name, safe_file_name

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
PROGRAM = b"MZ\x90\0" + b"\0" * 60


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Счёт № 7.pdf", "Счёт № 7.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\fakepath\\photo.png", "photo.png"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        ("a\0b\r\nc.txt", "ab c.txt"),
        ("gnp.\u202eexe.png", "gnp.exe.png"),
        ("zero\u200bwidth\ufeff.txt", "zerowidth.txt"),
        ("invoice.pdf.exe", "invoice.pdf.exe"),
        ("CON", "_CON"),
        ("nul.tar.gz", "_nul.tar.gz"),
        ("lpt¹.txt", "_lpt¹.txt"),
        ("console.txt", "console.txt"),
        ('<img src=x onerror="alert(1)">.png', "_img src=x onerror=_alert(1)__.png"),
        ("trailing. . .", "trailing"),
        (".htaccess", "htaccess"),
        ("\ud800.txt", ".txt".lstrip(".")),
        ("e\u0301.txt", "é.txt"),
    ],
)
def test_a_name_becomes_one_that_every_system_can_keep(sent: str, kept: str) -> None:
    assert safe_file_name(sent) == kept


def test_a_long_name_is_cut_before_its_ending() -> None:
    name = safe_file_name("я" * 300 + ".docx")

    assert len(name) == 200
    assert name.endswith("яя.docx")


@given(st.text(max_size=400))
def test_whatever_comes_becomes_a_safe_name(sent: str) -> None:
    name = safe_file_name(sent)

    assert is_safe_file_name(name)
    assert 0 < len(name) <= 200
    assert not set(name) & set('/\\\0\r\n\u202e<>:"|?*')


def a_zip(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "media"),
    [
        (PNG, "photo.png", "image/png"),
        (PNG, "photo.txt", "image/png"),
        (b"%PDF-1.7\n", "paper.pdf", "application/pdf"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "photo.jpg", "image/jpeg"),
        (
            a_zip("xl/workbook.xml"),
            "sheet.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
        (a_zip("a.txt"), "archive.zip", "application/zip"),
        (PROGRAM, "paper.pdf", "application/vnd.microsoft.portable-executable"),
        (b"\x7fELF\2\1\1", "photo.png", "application/x-executable"),
        (b"a;b\n1;2\n", "sheet.csv", "text/csv"),
        ("привет".encode(), "note.txt", "text/plain"),
        (b'{"a": 1}', "data.json", "application/json"),
        (b"<p>hello", "page.html", "text/html"),
        (b"<script>alert(1)</script>", "photo.png", "text/html"),
        (b" \r\n<!-- x --><HTML>", "photo.png", "text/html"),
        ("\ufeff<html>".encode("utf-16-le"), "photo.png", "text/html"),
        ("<html>привет".encode("cp1251"), "photo.png", "text/html"),
        (b'<?xml version="1.0"?><svg xmlns="x"/>', "logo.svg", "image/svg+xml"),
        (b"<x:svg xmlns:x='y'/>", "logo.png", "image/svg+xml"),
        (b"\0\1\2\3", "what.csv", "application/octet-stream"),
        (b"", "empty.txt", "text/plain"),
    ],
)
def test_the_content_says_what_a_file_is(content: bytes, name: str, media: str) -> None:
    assert sniff(content, name) == media


def test_a_page_called_an_image_is_a_lie_and_one_called_a_page_is_none() -> None:
    assert contradicts("text/html", "photo.png")
    assert contradicts("image/svg+xml", "paper.pdf")
    assert not contradicts("text/html", "page.html")
    assert not contradicts("image/svg+xml", "logo.svg")
    assert not contradicts("image/png", "photo.jpg")


@given(st.binary(max_size=2_000), st.text(max_size=20))
def test_any_bytes_have_some_type(content: bytes, name: str) -> None:
    assert "/" in sniff(content, name)
