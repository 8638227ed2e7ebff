"""Files in, files out: CSV, XLSX, JSON lines and Parquet of every entity, and business cards of customers."""

from clientela.exchange.cardexporting import export_vcards
from clientela.exchange.cardtaking import CardTaker
from clientela.exchange.exporting import export_csv, export_jsonl
from clientela.exchange.facts import RecordsImported
from clientela.exchange.files import import_file
from clientela.exchange.formats import FORMATS, export, format_of
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import ErrorGroup, ImportReport, Problem
from clientela.exchange.steps import Step, steps_from_json, steps_from_line

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
