"""Excel workbooks as people save them."""

import io
from collections.abc import Sequence
from importlib import import_module
from typing import Any

Rows = Sequence[Sequence[Any]]


def workbook(**sheets: Rows) -> bytes:
    openpyxl: Any = import_module("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
