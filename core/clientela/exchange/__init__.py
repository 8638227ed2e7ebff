"""Files in, files out: CSV, XLSX, JSON lines and Parquet of every entity, and business cards of customers."""

from clientela.exchange.cards.exporting import export_vcards
from clientela.exchange.cards.taking import CardTaker
from clientela.exchange.facts import RecordsImported
from clientela.exchange.files import import_file
from clientela.exchange.options import ImportOptions
from clientela.exchange.outputs.formats import FORMATS, export, format_of
from clientela.exchange.outputs.plain import export_csv, export_jsonl
from clientela.exchange.report import ErrorGroup, ImportReport, Problem
from clientela.exchange.sources.steps import Step, steps_from_json, steps_from_line

__all__ = [
    "FORMATS",
    "CardTaker",
    "ErrorGroup",
    "ImportOptions",
    "ImportReport",
    "Problem",
    "RecordsImported",
    "Step",
    "export",
    "export_csv",
    "export_jsonl",
    "export_vcards",
    "format_of",
    "import_file",
    "steps_from_json",
    "steps_from_line",
]
