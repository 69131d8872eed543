"""A small finished run on disk, as the contract describes it, for the tests of the server and its page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np

from api.results_reader import ServedRun

if TYPE_CHECKING:
    from pathlib import Path

EXAM = """
[exam]
title = "見本テスト 理科"
subject = "理科"
date = 2026-11-27

[[question]]
id = "1-1"
section = "1"
kind = "choice"
choices = ["ア", "イ"]
answer = ["イ"]
points = 2

[[question]]
id = "1/2"
section = "1"
kind = "number"
answer = "12"
points = 2.5
viewpoint = "知識・技能"

[[question]]
id = "2-1"
section = "2"
kind = "essay"
points = 5
"""
ROSTER = """student_id,grade,class,number,name,kana
s-1,2,1,1,見本 一郎,みほん いちろう
s-2,2,1,2,例題 花子,れいだい はなこ
s-3,2,1,10,試験 三郎,しけん さぶろう
s-4,2,1,11,欠番 四郎,けつばん しろう
"""
ANSWERS = """sheet,student,page,question,kind,reading,confidence,status,points,max_points
A1,s-1,1,1-1,choice,イ,0.999,ok,2,2
A1,s-1,1,1/2,number,12,0.98,ok,2.5,2.5
A1,s-1,2,2-1,essay,,,doubtful,,5
A2,s-2,1,1-1,choice,ア,0.999,ok,0,2
A2,s-2,1,1/2,number,,0.99,blank,0,2.5
A2,s-2,2,2-1,essay,,0.99,blank,0,5
A3,s-3,1,1-1,choice,ア;イ,0.6,doubtful,,2
A3,s-3,1,1/2,number,,,doubtful,,2.5
in/a.png#4,,1,1-1,choice,イ,0.999,ok,2,2
in/a.png#4,,1,1/2,number,1,0.9,ok,1,2.5
in/a.png#4,,1,2-1,essay,,,doubtful,,5
"""
SCORES = """sheet,student,points,max_points,undecided
A1,s-1,4.5,9.5,1
A2,s-2,0,9.5,0
A3,s-3,0,9.5,3
in/a.png#4,,3,9.5,1
"""
PAGES = """source,page,sheet,sheet_page,status,reason,rotation,skew_deg,residual_mm
class.tif,1,A1,1,read,,0,0.1,0.05
class.tif,2,A1,2,read,,90,0.1,0.05
in/a.png,1,A2,1,read,名簿にない解答用紙です。,180,-0.3,0.04
cat.jpg,1,,,quarantined,位置合わせマークが見つかりません。この試験の解答用紙か確かめてください。,,,
broken.pdf,0,,,quarantined,ファイルが壊れていて開けません。,,,
../exam.toml,1,,,quarantined,外のファイル,,,
class.tif,9,,,duplicate,同じページが2回あります。,,,
lost.png,1,,,blank,,,,
"""


def make_finished_run(folder: Path) -> ServedRun:
    """Write exam, roster, scans and OUT below `folder`."""
    run = ServedRun(
        out=folder / "out",
        exam=folder / "exam.toml",
        roster=folder / "roster.csv",
        scans=folder / "scans",
    )
    run.exam.write_text(EXAM, encoding="utf-8")
    run.roster.write_text(ROSTER, encoding="utf-8")
    _write_scans(run.scans)
    _write_crops(run.out / "crops")
    for name, text in (("answers", ANSWERS), ("scores", SCORES), ("pages", PAGES)):
        (run.out / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    summary = {"pages": 8, "read": 3, "missing": [["s-3", 2], ["s-4", 1], ["s-4", 2]]}
    (run.out / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return run


def upright_page() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A portrait page with a dark block in its top-left corner."""
    page = np.full((594, 420), 255, np.uint8)
    page[20:120, 20:160] = 0
    return page


def _write_scans(folder: Path) -> None:
    (folder / "in").mkdir(parents=True)
    page = upright_page()
    # Turned so that 90° clockwise, as pages.csv says, brings the page upright.
    lying = np.rot90(page, k=1)
    written = cv2.imencodemulti(".tif", [page, lying])
    assert written[0]
    (folder / "class.tif").write_bytes(written[1].tobytes())
    _write_image(folder / "in" / "a.png", np.rot90(page, k=2))
    _write_image(folder / "cat.jpg", page)
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\n")


def _write_crops(folder: Path) -> None:
    for question, sheets in {
        "1-1": ["A1", "A2", "A3", "in%2Fa.png%234"],
        "1%2F2": ["A1", "A2", "in%2Fa.png%234"],
        "2-1": ["A1", "A2"],
    }.items():
        (folder / question).mkdir(parents=True)
        for number, sheet in enumerate(sheets):
            crop = np.full((60, 200 + number), 255, np.uint8)
            cv2.putText(crop, question[:1], (20, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 3)
            _write_image(folder / question / f"{sheet}.png", crop)


def _write_image(path: Path, gray: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    done, data = cv2.imencode(path.suffix, np.ascontiguousarray(gray))
    assert done
    path.write_bytes(data.tobytes())
