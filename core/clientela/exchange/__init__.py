"""Files in, files out: the CSV and JSON-lines faces of every entity, and business cards of customers."""

from clientela.exchange.cardexporting import export_vcards
from clientela.exchange.cardtaking import CardTaker
from clientela.exchange.exporting import export_csv, export_jsonl
from clientela.exchange.facts import RecordsImported
from clientela.exchange.files import import_file
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import ErrorGroup, ImportReport, Problem

__all__ = [
    "CardTaker",
    "ErrorGroup",
    "ImportOptions",
    "ImportReport",
    "Problem",
    "RecordsImported",
    "export_csv",
    "export_jsonl",
    "export_vcards",
    "import_file",
]
