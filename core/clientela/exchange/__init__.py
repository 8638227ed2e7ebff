"""Files in, files out: the CSV and JSON-lines faces of every entity."""

from clientela.exchange.exporting import export_csv, export_jsonl
from clientela.exchange.facts import RecordsImported
from clientela.exchange.importing import import_csv
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import ErrorGroup, ImportReport, Problem

__all__ = [
    "ErrorGroup",
    "ImportOptions",
    "ImportReport",
    "Problem",
    "RecordsImported",
    "export_csv",
    "export_jsonl",
    "import_csv",
]
