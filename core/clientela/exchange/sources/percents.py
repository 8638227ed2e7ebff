"""Which columns of a sheet are shown in per cent: the library gives 0.25 and not that it reads 25 %."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from typing import IO
from xml.etree import ElementTree as ET  # parts that declare entities were refused before

from clientela.unpacking import column_place

# The numbers of the built-in formats 0% and 0.00%.
_BUILT_IN = {9, 10}
_LOOKED_AT = 1 << 20
_LITERAL = re.compile(r'"[^"]*"|\\.')
_STYLED = re.compile(rb'<c r="([A-Z]{1,3})[0-9]+" s="([0-9]+)"(?: t="n")?>')
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def percent_columns(file: IO[bytes], sheet: str) -> frozenset[int]:
    """Give the places of the columns most of whose first numbers have a format with a sign of per cent."""
    try:
        with zipfile.ZipFile(file) as package:
            styles = _percent_styles(package)
            part = _part_of(package, sheet) if styles else None
            if part is None:
                return frozenset()
            with package.open(part) as stream:
                begun = stream.read(_LOOKED_AT)
    except (KeyError, ET.ParseError, ValueError):
        # A workbook without styles has no percent; what is broken, the library tells.
        return frozenset()
    every, shares = Counter[bytes](), Counter[bytes]()
    for column, style in _STYLED.findall(begun):
        every[column] += 1
        shares[column] += int(style) in styles
    return frozenset(column_place(c) for c, count in every.items() if 2 * shares[c] > count)


def _percent_styles(package: zipfile.ZipFile) -> set[int]:
    """Give the numbers of the cell formats that show per cent."""
    root = ET.fromstring(package.read("xl/styles.xml"))  # noqa: S314 - see above
    own = {
        int(one.attrib["numFmtId"])
        for one in root.iter()
        if one.tag.endswith("}numFmt") and "%" in _LITERAL.sub("", one.attrib.get("formatCode", ""))
    }
    formats = next((one for one in root if one.tag.endswith("}cellXfs")), ())
    return {
        place
        for place, one in enumerate(formats)
        if int(one.attrib.get("numFmtId", 0)) in own | _BUILT_IN
    }


def _part_of(package: zipfile.ZipFile, sheet: str) -> str | None:
    """Find the part of the package that holds a sheet."""
    book = ET.fromstring(package.read("xl/workbook.xml"))  # noqa: S314 - see above
    found = next((one for one in book.iter() if one.attrib.get("name") == sheet), None)
    if found is None:
        return None
    relations = ET.fromstring(package.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - see above
    target = next(
        (
            one.attrib["Target"]
            for one in relations
            if one.attrib.get("Id") == found.attrib.get(_RELATION)
        ),
        None,
    )
    if target is None:
        return None
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
