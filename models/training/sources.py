"""Where the training data come from: which sources may make a shipped model, and which hands are kept for trials.

The data stay outside the repository: the packs in the folder of `--data`, fonts from Debian's and npm's packages. The
licence of each source, and why it is or is not used, stands in `models/README.md`.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Polyline = NDArray[np.float32]


class Part(Enum):
    """What a writer, a font or a source is used for: never for more than one of these."""

    TRAIN = "train"
    CALIBRATION = "calibration"
    TEST = "test"


_ONLY_FOR_TESTS = ("tegaki", "tomoe", "hasyv2")
"""Whole sources that no model is trained on, by their licences."""
_WITHOUT_WRITERS = ("mnist", "bhmsds")
_HELD_PER_CENT = 14
"""So many of a hundred writers are kept back, half for calibration, half for tests."""

TRAINING_FONTS = (
    "kiloji.ttf",
    "kiloji_b.ttf",
    "kiloji_d.ttf",
    "kiloji_p.ttf",
    "setofont.ttf",
    "YOzRE_.ttf",
    "YOzREF.ttf",
    "YOzREX.ttf",
    "YOzRC_.ttf",
    "YOzRCF.ttf",
    "YOzRA_.ttf",
    "YOzRAF.ttf",
    "YOzRN_.ttf",
    "YOzRNX.ttf",
    "YOzRS_.ttf",
    "YOzRSX.ttf",
    "KleeOne-Regular.ttf",
    "KleeOne-SemiBold.ttf",
    "YuseiMagic-Regular.ttf",
    "hachi-maru-pop",
    "new-tegomin",
    "kiwi-maru",
    "potta-one",
    "darumadrop-one",
    "yuji-syuku",
    "AoyagiKouzanT.ttf",
    "aoyagi-soseki.ttf",
)
CALIBRATION_FONTS = ("yomogi",)
TEST_FONTS = ("zen-kurenaido", "slackside-one")


def part_of(source: str, writer: str, index: int) -> Part:
    """What a sample is used for: by its source, else by its writer, else (writers unknown) by its place.

    Args:
        source: as in the packs.
        writer: as in the packs; MNIST and bhmsds name none.
        index: of the sample in its pack.
    """
    if source.startswith(_ONLY_FOR_TESTS):
        return Part.TEST
    named = f"{source}/{index}" if source in _WITHOUT_WRITERS else f"{source}/{writer}"
    place = zlib.crc32(named.encode()) % 100
    if place >= _HELD_PER_CENT:
        return Part.TRAIN
    return Part.CALIBRATION if place % 2 else Part.TEST


@dataclass(frozen=True, slots=True)
class Pictures:
    """Samples of one pack as pictures.

    Attributes:
        images: ink 255 on 0, uint8 (n, height, width).
        labels: of each, str (n,).
        writers: str (n,).
        sources: str (n,).
        parts: what each is used for, `Part` values as str (n,).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.str_]
    writers: NDArray[np.str_]
    sources: NDArray[np.str_]
    parts: NDArray[np.str_]

    def of(self, part: Part) -> Pictures:
        """Those used for one thing."""
        keep = self.parts == part.value
        return Pictures(
            self.images[keep], self.labels[keep], self.writers[keep], self.sources[keep], self.parts[keep]
        )


def load_pictures(data: Path, pack: str) -> Pictures:
    """A pack of pictures (`digits`, `latin`, `symbols`, `kana`, `words_en`), without samples marked as suspect."""
    with np.load(data / f"{pack}.npz") as archive:
        arrays = dict(archive)
    sources, writers = arrays["sources"], arrays["writers"]
    parts = [
        part_of(str(source), str(writer), index).value
        for index, (source, writer) in enumerate(zip(sources, writers, strict=True))
    ]
    found = Pictures(arrays["images"], arrays["labels"], writers, sources, np.array(parts))
    suspect = arrays.get("suspect")
    if suspect is None or not suspect.any():
        return found
    keep = ~suspect
    return Pictures(
        found.images[keep], found.labels[keep], found.writers[keep], found.sources[keep], found.parts[keep]
    )


def load_strokes(data: Path, pack: str) -> dict[str, list[list[Polyline]]]:
    """A pack of pen strokes by character: for each sample its strokes, float32 (points, 2), 0 to 1000, y down."""
    with np.load(data / f"{pack}.npz") as archive:
        arrays = dict(archive)
    points = arrays["points"].astype(np.float32)
    pieces = np.split(points, arrays["stroke_ptr"][1:-1])
    found: dict[str, list[list[Polyline]]] = {}
    bounds = arrays["char_ptr"]
    for at, label in enumerate(arrays["labels"].tolist()):
        found.setdefault(label, []).append(pieces[bounds[at] : bounds[at + 1]])
    return found


def load_joyo(data: Path) -> str:
    """The 2,136 kanji of everyday use (常用漢字)."""
    lists = json.loads((data / "kanji_lists.json").read_text(encoding="utf-8"))
    return "".join(lists["joyo_2136"])


def find_font(folders: list[Path], name: str) -> Path | None:
    """The file of a font: itself, or the whole Japanese set of an npm package."""
    wanted = name if "." in name else f"{name}-japanese-400-normal.woff2"
    for folder in folders:
        for path in sorted(folder.rglob(wanted)):
            return path
    return None


def font_file_as_picture_source(path: Path, cache: Path) -> Path:
    """A font that FreeType can open: WOFF2 files are unpacked into `cache`."""
    if path.suffix != ".woff2":
        return path
    from fontTools.ttLib import TTFont  # noqa: PLC0415 only the recipe needs it

    target = cache / f"{path.stem}.ttf"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        font = TTFont(path)
        font.flavor = None
        font.save(target)
    return target
