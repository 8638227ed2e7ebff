"""The type of a file by what is in it. Only its first bytes are looked at, and nothing is ever unpacked or drawn."""

from __future__ import annotations

import codecs
import mimetypes
import re

from clientela.normalize.filenames import ending

HEAD = 8 * 1024
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"

# What a browser would run in our name if it were shown in place.
ACTIVE = frozenset(
    {
        "text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml", "text/javascript",
        "application/javascript", "application/x-javascript", "application/x-shockwave-flash", "text/xsl",
        "multipart/related", "message/rfc822", "application/xslt+xml", "application/mathml+xml", "text/cache-manifest",
    }
)  # fmt: skip

# What programs show as soon as they meet it.
_SHOWN = ("image/", "audio/", "video/", "font/", "application/pdf")

# A guess below is not better than none.
_SURE = 0.3
_TEXTUAL = frozenset({"application/json", "application/xml", "application/x-ndjson"})
# Without the lists of the machine, which differ.
_BY_ENDING = mimetypes.MimeTypes(filenames=())
_MORE_ENDINGS = {
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".vcf": "text/vcard",
    ".ics": "text/calendar",
}
_MARKS = (
    (b"\x7fELF", "application/x-executable"),
    (b"\xcf\xfa\xed\xfe", "application/x-executable"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
# What makes a browser take a text for a page (the WHATWG's table, and scripts' events).
_PAGE = re.compile(
    r"<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|object|embed|form|img|input"
    r"|link|meta|base|video|audio|button|math|details)[\s/>]",
    re.IGNORECASE,
)
_DRAWING = re.compile(r"<(?:\w{1,40}:)?svg[\s/>:]", re.IGNORECASE)


def sniff(head: bytes, name: str) -> str:
    """Give the media type of a file that begins so; its name decides only between types that look the same."""
    mark = next((media for mark, media in _MARKS if head.startswith(mark)), None)
    if mark is not None:
        return mark
    text = _as_text(head)
    markup = _markup(text) if text is not None else None
    return markup or _by_signature(head, name) or _by_ending(text, name)


def contradicts(media: str, name: str) -> bool:
    """Say whether something active hides behind the name of something harmless: a page called photo.png."""
    claimed = claimed_type(name)
    if media not in ACTIVE or claimed is None or claimed in ACTIVE:
        return False
    return claimed.startswith(_SHOWN)


def claimed_type(name: str) -> str | None:
    """Give the type that goes with the ending of a name."""
    last = ending(name)
    return _MORE_ENDINGS.get(last) or _BY_ENDING.guess_type(f"x{last}")[0]


def _as_text(head: bytes) -> str | None:
    """Read the head as text, or not; the last character may be cut in two."""
    bom, encoding = next(((b, e) for b, e in _BOMS if head.startswith(b)), (b"", "utf-8"))
    if encoding == "utf-8" and b"\0" in head:
        return None
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        return decoder.decode(head[len(bom) :])
    except UnicodeDecodeError:
        # A page in an old encoding is a page all the same.
        return head.decode("latin-1") if b"\0" not in head and head.lstrip()[:1] == b"<" else None


def _markup(text: str) -> str | None:
    if not text.lstrip().startswith("<"):
        return None
    drawing, page = _DRAWING.search(text), _PAGE.search(text)
    if drawing and (page is None or drawing.start() < page.start()):
        return "image/svg+xml"
    if page:
        return "application/xhtml+xml" if text.lstrip().startswith("<?xml") else "text/html"
    return "application/xml" if text.lstrip().startswith("<?xml") else None


def _by_signature(head: bytes, name: str) -> str | None:
    """Ask the table of signatures; of several that fit, the one that fits the name as well."""
    import puremagic  # noqa: PLC0415 - reads its table, which only an upload needs

    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    sure = [m for m in found if m.confidence >= _SURE and "/" in m.mime_type]
    last = ending(name)
    fitting = [m for m in sure if m.extension.lstrip(".") == last.lstrip(".")]
    best = next(iter(fitting or sure), None)
    return None if best is None else str(best.mime_type)


def _by_ending(text: str | None, name: str) -> str:
    """Believe the name of a text, and of nothing else."""
    if text is None:
        return UNKNOWN
    claimed = claimed_type(name)
    if claimed is not None and (claimed.startswith("text/") or claimed in _TEXTUAL):
        return claimed
    return TEXT
