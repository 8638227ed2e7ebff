"""The format alone: what is written is read again, in both versions, whatever stands in it."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.exchange.report import Problem
from clientela.exchange.vcards import (
    Card,
    CardOptions,
    CardProperty,
    from_stored,
    read_cards,
    to_stored,
    write_card,
)
from clientela.exchange.vcards.model import parameters
from clientela.exchange.vcards.writing import Version

VERSIONS: list[Version] = ["3.0", "4.0"]


def read(data: bytes | str, encoding: str | None = None) -> list[Card]:
    """Read cards that have nothing wrong with them."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    found = list(read_cards(stream, CardOptions(encoding=encoding)))
    assert not [one for one in found if isinstance(one, Problem)]
    return [one[1] for one in found if not isinstance(one, Problem)]


def problems(data: bytes) -> list[Problem]:
    """Give what is wrong with a file."""
    return [one for one in read_cards(io.BytesIO(data)) if isinstance(one, Problem)]


# Everything that the gate of a face lets pass, with what the format itself uses as often as possible.
signs = st.one_of(
    st.sampled_from(";:,\\\"^=\n\t ^n'жñ字🙂"),
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]),
)
texts = st.text(signs, max_size=200)
words = st.from_regex(r"[A-Z][A-Z0-9-]{0,12}", fullmatch=True)
params = st.dictionaries(
    words.map("X-{}".format),
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1), min_size=1, max_size=3),
    max_size=3,
)  # fmt: skip


@given(text=texts, name=words, said=params, group=st.sampled_from(["", "item1"]))
@pytest.mark.parametrize("version", VERSIONS)
def test_any_text_with_any_parameters_comes_back(
    version: Version, text: str, name: str, said: dict[str, list[str]], group: str
) -> None:
    one = CardProperty.of(f"X-{name}", text, **{n: tuple(v) for n, v in said.items()}).within(group)

    (card,) = read(write_card([one, CardProperty("N", "a")], version))

    assert card.properties[0] == one
    assert card.properties[0].text == text


@given(parts=st.lists(texts, min_size=2, max_size=7))
def test_components_come_back(parts: list[str]) -> None:
    one = CardProperty.of_parts("ADR", parts)

    assert read(write_card([one], "4.0"))[0].properties == [one]
    assert one.parts == parts


@given(text=texts)
def test_what_is_kept_is_read_as_it_was(text: str) -> None:
    unit = (CardProperty.of("X-A", text, TYPE="work"), CardProperty.of("X-ABLABEL", text))

    assert from_stored(to_stored(unit)) == unit


@given(data=st.binary(max_size=400))
def test_rubbish_is_reported_and_never_raises(data: bytes) -> None:
    for found in read_cards(io.BytesIO(b"BEGIN:VCARD\nVERSION:2.1\n" + data + b"\nEND:VCARD\n")):
        if not isinstance(found, Problem):
            read(write_card(found[1].properties, "4.0"))


@pytest.mark.parametrize("version", VERSIONS)
def test_lines_are_at_most_75_octets_and_cut_no_letter_in_two(version: Version) -> None:
    written = write_card([CardProperty.of("NOTE", "Ёлка 🎄, " * 40)], version)

    for line in written.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()


def test_the_dialects_say_the_same() -> None:
    two = "BEGIN:VCARD\r\nVERSION:2.1\r\nTEL;WORK;PREF:123\r\nEND:VCARD\r\n"
    three = "BEGIN:VCARD\nVERSION:3.0\nTEL;TYPE=WORK;TYPE=pref:123\nEND:VCARD\n"
    four = 'BEGIN:VCARD\rVERSION:4.0\rTEL;PREF=1;TYPE="work":123\rEND:VCARD\r'

    wanted = [CardProperty("TEL", "123", parameters({"PREF": "1", "TYPE": "work"}))]
    assert [read(text)[0].properties for text in (two, three, four)] == [wanted] * 3


def test_quoted_printable_goes_on_over_soft_breaks() -> None:
    (card,) = read(
        "BEGIN:VCARD\nVERSION:2.1\n"
        "NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=96=\n=D1=83=D0=BA;=0D=0A=\nC:\\new\n"
        "END:VCARD\n"
    )

    assert card.properties[0].text == "Жук;\nC:\\new"


def test_a_property_names_its_own_encoding() -> None:
    name = "Анна".encode("cp1251")
    data = b"BEGIN:VCARD\nVERSION:2.1\nFN;CHARSET=windows-1251:" + name + b"\nEND:VCARD\n"

    assert read(data)[0].properties[0].text == "Анна"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-8-sig", "Анна"), ("utf-16", "Анна"), ("utf-16-le", "Анна"), ("utf-16-be", "Anna")],
)
def test_a_file_in_any_unicode_is_read(encoding: str, name: str) -> None:
    data = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{name}\r\nEND:VCARD\r\n".encode(encoding)

    assert read(data)[0].properties[0].text == name


@pytest.mark.parametrize(("encoding", "name"), [("windows-1251", "Ёлкина"), ("windows-1252", "Müller")])  # fmt: skip
def test_an_old_encoding_is_guessed_and_said(encoding: str, name: str) -> None:
    data = f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nEND:VCARD\n".encode(encoding)

    (problem,) = problems(data)
    assert problem.code == "encoding"
    assert encoding in problem.sentence
    assert read(data, encoding=encoding)[0].properties[0].text == name


def test_a_picture_becomes_an_address_of_its_data_and_back() -> None:
    two = "BEGIN:VCARD\nVERSION:2.1\nPHOTO;ENCODING=BASE64;JPEG:\n /9j/\n 4AAQ\n\nFN:Anna\nEND:VCARD\n"

    (card,) = read(two)

    assert [one.value for one in card.properties] == ["data:image/jpeg;base64,/9j/4AAQ", "Anna"]
    assert b"PHOTO;ENCODING=b;TYPE=jpeg:/9j/4AAQ" in write_card(card.properties, "3.0")
    assert read(write_card(card.properties, "3.0"))[0].properties[0] == card.properties[0]


def test_base64_without_indents_or_with_empty_lines_between_is_read() -> None:
    bare = "BEGIN:VCARD\nVERSION:3.0\nPHOTO;ENCODING=b;TYPE=JPEG:/9j/\n4AAQ\n\n SkZJ\nFN:Anna\nEND:VCARD\n"

    assert read(bare)[0].properties[0].value.endswith("/9j/4AAQSkZJ")


def test_an_agent_is_a_card_within_the_card() -> None:
    data = (
        "BEGIN:VCARD\nVERSION:2.1\nAGENT:\nBEGIN:VCARD\nFN:Boris\nEND:VCARD\nFN:Anna\nEND:VCARD\n"
    )

    (card,) = read(data)

    assert card.all("FN")[0].text == "Anna"
    assert card.all("AGENT")[0].text == "BEGIN:VCARD\nFN:Boris\nEND:VCARD"


def test_labels_of_a_group_stay_with_what_they_label() -> None:
    (card,) = read(
        "BEGIN:VCARD\nVERSION:3.0\nitem7.X-ABLabel:Car\nitem7.TEL:123\nFN:Anna\nEND:VCARD\n"
    )

    assert [[one.name for one in unit] for unit in card.units()] == [["TEL", "X-ABLABEL"], ["FN"]]


# hostile ------------------------------------------------------------------------------------------------------------


def card_of(*lines: bytes) -> bytes:
    return b"\n".join([b"BEGIN:VCARD", b"VERSION:3.0", *lines, b"END:VCARD", b""])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"NOTE:" + b"x" * 10_000_000, "line-too-long"),
        (b"FN:A\0nna", "control-signs"),
        (b"PHOTO;ENCODING=b:/9j/4=AQ", "broken-base64"),
        (b"what is this", "no-property"),
        ("Ё:x".encode(), "no-property"),
        (b"\x00\x00\x00", "no-property"),
    ],
)
def test_a_line_that_cannot_be_read_is_told_with_its_place(line: bytes, code: str) -> None:
    (problem,) = problems(card_of(line, b"EMAIL:anna@example.com"))

    assert (problem.row, problem.code) == (1, code)
    assert problem.sample.startswith("3: ")


def test_the_other_lines_of_a_card_are_read_all_the_same() -> None:
    found = list(read_cards(io.BytesIO(card_of(b"NOTE:" + b"x" * 10_000_000, b"FN:Anna"))))

    assert not isinstance(found[-1], Problem)
    assert [one.text for one in found[-1][1].properties] == ["Anna"]


def test_a_thousand_cards_within_each_other_are_one() -> None:
    deep = [b"AGENT:", b"BEGIN:VCARD"] * 1_000 + [b"END:VCARD"] * 1_000

    (card,) = read(card_of(*deep, b"FN:Anna"))

    assert [one.name for one in card.properties] == ["AGENT", "FN"]


def test_a_card_that_is_too_large_is_left_out_and_the_next_one_read() -> None:
    big = card_of(*[b"NOTE:" + b"x" * 1_000] * 20)

    found = list(read_cards(io.BytesIO(big + card_of(b"FN:Anna")), CardOptions(longest_card=5_000)))

    assert isinstance(found[0], Problem)
    assert (found[0].row, found[0].code) == (1, "card-too-long")
    assert not isinstance(found[1], Problem)
    assert found[1][0] == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"BEGIN:VCARD\nFN:Anna", "no-end"),
        (b"BEGIN:VCARD\nFN:Anna\nBEGIN:VCARD\nFN:Boris\nEND:VCARD", "no-end"),
        (b"FN:Anna\n", "outside"),
        (b"END:VCARD\n", "outside"),
    ],
)
def test_a_card_that_is_no_whole_one_is_told(data: bytes, code: str) -> None:
    assert [problem.code for problem in problems(data)] == [code]
