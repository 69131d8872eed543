"""`saiten detect`: from a teacher's own sheet to the files of a proposed layout and a draft exam."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from PIL import Image

from omr.code_reader import find_codes
from omr.design import Writing
from omr.detect import detect_sheet_pages
from omr.errors import InputError, PageSetAside
from omr.geometry import MM_PER_INCH
from omr.layout import Layout, write_layout
from omr.page_size import has_resolution, page_size_mm
from omr.photographed_page import flatten_photograph
from omr.print_reader import read_print_of
from omr.printed_text import read_printed_text
from omr.replace_file import check_targets
from omr.scan_file import open_scan
from omr.sheet_page import SheetPage, upright_page
from scoring.exam_draft import draft_exam

if TYPE_CHECKING:
    from pathlib import Path

    from omr.design import Paper

_MOST_PAGES = 20


@dataclass(frozen=True, slots=True)
class DetectionReport:
    """What was found and written.

    Attributes:
        layout: as written.
        reference: the picture that the layout is drawn on; not the sheet itself if that was turned upright.
        pages_without_boxes: page numbers.
        unnamed: questions for which no printed number was found.
        is_read: whether the printed numbers were read from a picture, so that some may be wrong.
    """

    layout: Layout
    reference: Path
    pages_without_boxes: tuple[int, ...]
    unnamed: tuple[str, ...]
    is_read: bool = False


def detect_sheet(
    path: Path,
    layout_path: Path,
    exam_path: Path | None = None,
    password: str | None = None,
    paper: Paper | None = None,
) -> DetectionReport:
    """Detect the answer boxes of a sheet and write LAYOUT.json, and EXAM.toml if asked for.

    A skewed scan is turned upright and a photograph flattened; the upright picture is written beside the layout
    as its reference.

    Args:
        path: PDF, PNG, JPEG or TIFF with an unfilled sheet, at most 20 pages.
        layout_path: LAYOUT.json to write.
        exam_path: EXAM.toml to write.
        password: of an encrypted PDF.
        paper: of the sheet, where the file does not say how large it is (photographs).

    Raises:
        InputError: the sheet can't be read, has no answer box, or a file can't be written.
    """
    check_targets((layout_path, exam_path), (path,))
    pages, are_flattened = _read_pages(path, password, paper)
    if any(find_codes(page.gray) for page in pages):
        raise InputError(
            f"{path}: saiten が印刷した解答用紙です。解答欄の位置はもう決まっているので、saiten print に --layout を付けて書き出してください。"
        )
    upright = [read_print_of(upright_page(page)) for page in pages]
    detected = detect_sheet_pages(upright)
    try:
        are_turned = any(after.gray is not before.gray for before, after in zip(pages, upright, strict=True))
        reference = _write_upright(upright, layout_path) if are_turned or are_flattened else path
        layout = Layout(detected.layout.pages, _relative(reference, layout_path.parent))
        write_layout(layout, layout_path)
        if exam_path is not None:
            writing = Writing.VERTICAL if detected.is_vertical else Writing.HORIZONTAL
            today = date.today()  # noqa: DTZ011  (the teacher's own day)
            text = draft_exam(layout, path.stem, today, writing, detected.answers)
            exam_path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"{error.filename or layout_path}: 書き込めません。フォルダーがあるか、書き込みが許されているかを確かめてください。"
        ) from error
    return DetectionReport(
        layout,
        reference,
        tuple(page.number for page in layout.pages if not page.questions),
        tuple(question.id for _, question in layout.questions() if question.id.startswith("枠")),
        any(page.is_read for page in upright),
    )


def describe_detection(report: DetectionReport, layout_path: Path) -> str:
    """What was found, in words for the teacher."""
    count = sum(1 for _ in report.layout.questions())
    lines = [f"{layout_path}: 解答欄を{count}か所見つけました。位置と番号を確かめてください。"]
    if report.is_read:
        lines.append("設問の番号は画像から読み取りました。読み違いがないか、1つずつ確かめてください。")
    if report.unnamed:
        lines.append(f"番号が読めず、順に番号を付けた解答欄: {'、'.join(report.unnamed)}")
    if report.pages_without_boxes:
        pages = "、".join(str(page) for page in report.pages_without_boxes)
        lines.append(f"解答欄が見つからなかったページ: {pages}")
    return "\n".join(lines)


def _read_pages(path: Path, password: str | None, paper: Paper | None) -> tuple[list[SheetPage], bool]:
    """The pages of a sheet, and whether any is a photograph that was flattened."""
    try:
        with open_scan(path, password=password) as scan:
            if scan.page_count > _MOST_PAGES:
                raise InputError(
                    f"{path}: {scan.page_count}ページあります。何も書き込んでいない解答用紙1部（{_MOST_PAGES}ページまで）のファイルを指定してください。"
                )
            characters = read_printed_text(path, password)
            pages, are_flattened = [], False
            for index in range(scan.page_count):
                page = scan.read_page(index)
                flat = None if has_resolution(page) else flatten_photograph(page.gray)
                if flat is not None:
                    page, are_flattened = replace(page, gray=flat), True
                text = characters[index] if index < len(characters) else ()
                pages.append(SheetPage(page.gray, page_size_mm(page, paper), text))
            return pages, are_flattened
    except PageSetAside as trouble:
        raise InputError(f"{path}: {trouble.reason}") from trouble


def _write_upright(pages: list[SheetPage], layout_path: Path) -> Path:
    """The pages as one picture file (PNG, or TIFF for several) beside the layout."""
    pictures = [Image.fromarray(page.gray) for page in pages]
    resolutions = [page.gray.shape[1] / page.size[0] * MM_PER_INCH for page in pages]
    if len(pictures) == 1:
        target = layout_path.with_name(f"{layout_path.stem}.upright.png")
        pictures[0].save(target, dpi=(resolutions[0], resolutions[0]))
        return target
    target = layout_path.with_name(f"{layout_path.stem}.upright.tif")
    for picture, resolution in zip(pictures, resolutions, strict=True):
        picture.info["dpi"] = (resolution, resolution)
    pictures[0].save(
        target, save_all=True, append_images=pictures[1:], compression="tiff_lzw", dpi=(resolutions[0],) * 2
    )
    return target


def _relative(path: Path, folder: Path) -> str:
    """The path as seen from a folder, with forward slashes; absolute where there is no way (other drive)."""
    try:
        return os.path.relpath(path.resolve(), folder.resolve()).replace(os.sep, "/")
    except ValueError:
        return path.resolve().as_posix()
