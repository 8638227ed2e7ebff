"""Files in, files out: the CSV, XLSX, JSON-lines and Parquet faces of every entity."""

from clientela.exchange.exporting import export_csv, export_jsonl
from clientela.exchange.facts import RecordsImported
from clientela.exchange.formats import FORMATS, export, format_of
from clientela.exchange.importing import import_csv
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import ErrorGroup, ImportReport, Problem
from clientela.exchange.steps import Step, steps_from_json, steps_from_line

__all__ = [
    "FORMATS",
    "ErrorGroup",
    "ImportOptions",
    "ImportReport",
    "Problem",
    "RecordsImported",
    "Step",
    "export",
    "export_csv",
    "export_jsonl",
    "format_of",
    "import_csv",
    "steps_from_json",
    "steps_from_line",
]
