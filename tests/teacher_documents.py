"""Answer sheets as teachers make them: LibreOffice documents, printed to PDF, with the true answer boxes.

Every document is made twice. In its twin each answer place has a background colour of its own, so the truth is
measured on the printed twin and owes nothing to the detection.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pypdfium2 as pdfium

from omr.geometry import MM_PER_INCH, Rectangle

_FONTS = Path(__file__).parent.parent / "omr" / "fonts"
_NAMESPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in (
        ("office", "office"), ("style", "style"), ("text", "text"), ("table", "table"),
        ("fo", "xsl-fo-compatible"), ("svg", "svg-compatible"),
    )
)  # fmt: skip
_THIN = "0.5pt solid #000000"
_TRUTH_DPI = 200
_PROGRAM_SECONDS = 300


@dataclass(frozen=True)
class Run:
    """Characters of one look; `answer` is the name of the answer that goes there."""

    text: str
    answer: str | None = None
    underlined: bool = False
    size: float = 10.5


Paragraph: TypeAlias = str | Sequence[Run]


@dataclass(frozen=True)
class Cell:
    """A table cell; `border` is one for all sides or one each for top, right, bottom and left ("" for none)."""

    content: Paragraph | Table = ""
    answer: str | None = None
    columns: int = 1
    rows: int = 1
    border: str | tuple[str, str, str, str] = _THIN
    centred: bool = True
    size: float = 10.5


@dataclass(frozen=True)
class Table:
    """Columns and rows in millimetres and the cells of each row, without those that a wider cell covers."""

    widths: Sequence[float]
    heights: Sequence[float]
    cells: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Document:
    """A sheet of one page.

    Attributes:
        body: paragraphs and tables, from the top.
        size: of the page in millimetres.
        is_spreadsheet: made in Calc; its body is one table.
        is_vertical: 縦書き.
        font: a family of the operating system or the bundled one.
        columns: of text on the page.
    """

    body: Sequence[Paragraph | Table]
    size: tuple[float, float] = (210, 297)
    is_spreadsheet: bool = False
    is_vertical: bool = False
    font: str = "BIZ UDGothic"
    columns: int = 1


@dataclass(frozen=True)
class PrintedDocument:
    """A document as PDF, and where its answers truly go, by name."""

    path: Path
    truth: dict[str, Rectangle]


def has_libreoffice() -> bool:
    """Whether documents can be printed here."""
    return shutil.which("soffice") is not None


def print_documents(documents: dict[str, Document], folder: Path) -> dict[str, PrintedDocument]:
    """Print all documents with one call of LibreOffice."""
    files, answers = [], {}
    for name, document in documents.items():
        for twin in ("", "-truth"):
            writer = _Writer(document, is_coloured=bool(twin))
            file = folder / f"{name}{twin}.{'fods' if document.is_spreadsheet else 'fodt'}"
            file.write_text(writer.text(), encoding="utf-8")
            files.append(str(file))
            answers[name] = writer.answers
    soffice = shutil.which("soffice")
    assert soffice, "LibreOffice is not installed"
    profile = (folder / "profile").as_uri()
    subprocess.run(
        [soffice, f"-env:UserInstallation={profile}", "--headless", "--convert-to", "pdf", "--outdir", folder, *files],
        env={**os.environ, "FONTCONFIG_FILE": str(_font_settings(folder)), "HOME": str(folder)},
        check=True,
        capture_output=True,
        timeout=_PROGRAM_SECONDS,
    )  # fmt: skip
    return {
        name: PrintedDocument(folder / f"{name}.pdf", _measure(folder / f"{name}-truth.pdf", answers[name]))
        for name in documents
    }


def _font_settings(folder: Path) -> Path:
    """The system's fonts and the bundled one."""
    settings = folder / "fonts.conf"
    settings.write_text(
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"<include>/etc/fonts/fonts.conf</include><dir>{_FONTS}</dir></fontconfig>",
        encoding="utf-8",
    )
    return settings


def _colour(index: int) -> tuple[int, int, int]:
    return 255, 255 - index, 102


def _measure(path: Path, answers: Sequence[str]) -> dict[str, Rectangle]:
    document = pdfium.PdfDocument(path)
    assert len(document) == 1, f"{path.name} has {len(document)} pages"
    bitmap = document[0].render(scale=_TRUTH_DPI / 72, rev_byteorder=True)
    picture = np.array(bitmap.to_numpy(), np.uint8)[..., :3]
    document.close()
    truth = {}
    for index, answer in enumerate(answers):
        rows, columns = np.nonzero((picture == _colour(index)).all(axis=2))
        assert len(rows), f"{path.name}: {answer} is not on the page"
        left, top, right, bottom = (
            float(edge) / _TRUTH_DPI * MM_PER_INCH
            for edge in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        )
        truth[answer] = Rectangle(left, top, right - left, bottom - top)
    return truth


@dataclass
class _Writer:
    """Writes a document as flat OpenDocument XML."""

    document: Document
    is_coloured: bool
    answers: list[str] = field(default_factory=list)
    styles: dict[tuple[str, str], str] = field(default_factory=dict)
    tables: int = 0

    def text(self) -> str:
        kind = "spreadsheet" if self.document.is_spreadsheet else "text"
        body = "".join(
            self._table(one) if isinstance(one, Table) else self._paragraph(one) for one in self.document.body
        )
        # In a text a table that names its page style begins a new page.
        master = ' style:master-page-name="Default"' if self.document.is_spreadsheet else ""
        automatic = "".join(
            f'<style:style style:name="{name}" style:family="{family}"'
            f"{master if family == 'table' else ''}>{properties}</style:style>"
            for (family, properties), name in self.styles.items()
        )
        wide, high = self.document.size
        turn = "landscape" if wide > high else "portrait"
        writing = "tb-rl" if self.document.is_vertical else "lr-tb"
        columns = f'<style:columns fo:column-count="{self.document.columns}" fo:column-gap="10mm"/>'
        font = quoteattr(self.document.font)
        return (
            f'<?xml version="1.0" encoding="UTF-8"?><office:document {_NAMESPACES} office:version="1.3" '
            f'office:mimetype="application/vnd.oasis.opendocument.{kind}">'
            f'<office:font-face-decls><style:font-face style:name="F" svg:font-family={font}/></office:font-face-decls>'
            '<office:styles><style:default-style style:family="paragraph"><style:text-properties '
            'style:font-name="F" style:font-name-asian="F" fo:font-size="10.5pt" style:font-size-asian="10.5pt" '
            'fo:language="ja" fo:country="JP" style:language-asian="ja" style:country-asian="JP"/></style:default-style>'
            '<style:default-style style:family="table-cell"><style:text-properties style:font-name="F" '
            'style:font-name-asian="F"/></style:default-style></office:styles>'
            f'<office:automatic-styles><style:page-layout style:name="P"><style:page-layout-properties '
            f'fo:page-width="{wide}mm" fo:page-height="{high}mm" style:print-orientation="{turn}" fo:margin="15mm" '
            f'fo:margin-top="15mm" fo:margin-bottom="12mm" fo:margin-left="15mm" fo:margin-right="15mm" '
            f'style:writing-mode="{writing}">{columns}</style:page-layout-properties></style:page-layout>{automatic}'
            '</office:automatic-styles><office:master-styles><style:master-page style:name="Default" '
            'style:page-layout-name="P"><style:header style:display="false"/><style:footer style:display="false"/>'
            '</style:master-page><style:master-page style:name="Standard" style:page-layout-name="P"/>'
            f"</office:master-styles><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document>"
        )

    def _style(self, family: str, properties: str) -> str:
        return self.styles.setdefault((family, properties), f"s{len(self.styles)}")

    def _background(self, answer: str | None) -> str:
        if answer is None:
            return ""
        if answer not in self.answers:
            self.answers.append(answer)
        red, green, blue = _colour(self.answers.index(answer))
        return f' fo:background-color="#{red:02x}{green:02x}{blue:02x}"' if self.is_coloured else ""

    def _paragraph(self, paragraph: Paragraph, align: str = "start", size: float = 10.5) -> str:
        runs = [Run(paragraph, size=size)] if isinstance(paragraph, str) else paragraph
        largest = max((run.size for run in runs), default=size)
        style = self._style(
            "paragraph",
            f'<style:paragraph-properties fo:text-align="{align}" fo:margin="0mm"/>{_text_size(largest)}',
        )
        return f'<text:p text:style-name="{style}">{"".join(map(self._run, runs))}</text:p>'

    def _run(self, run: Run) -> str:
        line = (
            ' style:text-underline-style="solid" style:text-underline-width="auto"' if run.underlined else ""
        )
        style = self._style("text", _text_size(run.size, line + self._background(run.answer)))
        text = escape(run.text).replace("  ", '<text:s text:c="2"/>')
        return f'<text:span text:style-name="{style}">{text}</text:span>'

    def _table(self, table: Table) -> str:
        self.tables += 1
        width = (
            "" if self.document.is_spreadsheet else f' style:width="{sum(table.widths)}mm" table:align="left"'
        )
        style = self._style("table", f'<style:table-properties{width} table:border-model="collapsing"/>')
        columns = "".join(
            f'<table:table-column table:style-name="{name}"/>'
            for name in (
                self._style("table-column", f'<style:table-column-properties style:column-width="{one}mm"/>')
                for one in table.widths
            )
        )
        covered: set[tuple[int, int]] = set()
        rows = "".join(
            self._row(table, number, height, covered) for number, height in enumerate(table.heights)
        )
        return f'<table:table table:name="T{self.tables}" table:style-name="{style}">{columns}{rows}</table:table>'

    def _row(self, table: Table, number: int, height: float, covered: set[tuple[int, int]]) -> str:
        style = self._style(
            "table-row",
            f'<style:table-row-properties style:row-height="{height}mm" style:use-optimal-row-height="false"/>',
        )
        waiting = iter(table.cells[number])
        cells = []
        for column in range(len(table.widths)):
            if (number, column) in covered:
                cells.append("<table:covered-table-cell/>")
                continue
            cell = next(waiting)
            covered |= {(number + r, column + c) for r in range(cell.rows) for c in range(cell.columns)}
            cells.append(self._cell(cell))
        return f'<table:table-row table:style-name="{style}">{"".join(cells)}</table:table-row>'

    def _cell(self, cell: Cell) -> str:
        sides = (cell.border,) * 4 if isinstance(cell.border, str) else cell.border
        borders = " ".join(
            f'fo:border-{side}="{value or "none"}"'
            + (f' style:border-line-width-{side}="0.018cm 0.035cm 0.018cm"' if "double" in value else "")
            for side, value in zip(("top", "right", "bottom", "left"), sides, strict=True)
        )
        align = "center" if cell.centred else "start"
        inside = (
            f'<style:paragraph-properties fo:text-align="{align}"/>{_text_size(cell.size)}'
            if self.document.is_spreadsheet
            else ""
        )
        style = self._style(
            "table-cell",
            f'<style:table-cell-properties {borders} fo:padding="0.3mm" style:vertical-align="middle"'
            f"{self._background(cell.answer)}/>{inside}",
        )
        content = cell.content
        if isinstance(content, Table):
            inner = self._table(content)
        elif self.document.is_spreadsheet and isinstance(content, str):
            inner = f"<text:p>{escape(content)}</text:p>" if content else ""
        else:
            inner = self._paragraph(content, align, cell.size)
        kind = ' office:value-type="string"' if self.document.is_spreadsheet and inner else ""
        return (
            f'<table:table-cell table:style-name="{style}"{kind} table:number-columns-spanned="{cell.columns}" '
            f'table:number-rows-spanned="{cell.rows}">{inner}</table:table-cell>'
        )


def _text_size(size: float, more: str = "") -> str:
    return (
        f'<style:text-properties style:font-name="F" style:font-name-asian="F" fo:font-size="{size}pt" '
        f'style:font-size-asian="{size}pt"{more}/>'
    )
