"""Teacher's own answer sheets for tests: drawn as PDF, with the true answer boxes, and pictures of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pypdfium2 as pdfium
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from omr.geometry import MM_PER_INCH, Rectangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FONT = "BIZUDGothic"
_MM = 72 / MM_PER_INCH
FONT_FILE = Path(__file__).parent.parent / "omr" / "fonts" / "BIZUDGothic-Regular.ttf"


class RuledSheet:
    """A sheet being drawn, in millimetres from the top-left corner; `truth` collects the answer boxes."""

    def __init__(
        self, path: Path, size: tuple[float, float] = (210, 297), password: str | None = None
    ) -> None:
        if _FONT not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(_FONT, FONT_FILE))
        self.path = path
        self.size = size
        self.truth: list[Rectangle] = []
        self._is_saved = False
        self.canvas = Canvas(str(path), pagesize=(size[0] * _MM, size[1] * _MM), encrypt=password)
        self.canvas.setLineWidth(0.7)

    def frame(self, x: float, y: float, w: float, h: float) -> None:
        """A rectangle that is no answer box."""
        self.canvas.rect(x * _MM, (self.size[1] - y - h) * _MM, w * _MM, h * _MM)

    def answer(self, x: float, y: float, w: float, h: float) -> None:
        """A rectangle that is an answer box."""
        self.frame(x, y, w, h)
        self.truth.append(Rectangle(x, y, w, h))

    def label(self, x: float, y: float, w: float, h: float, text: str, size: float = 10) -> None:
        """A printed cell."""
        self.frame(x, y, w, h)
        width = pdfmetrics.stringWidth(text, _FONT, size) / _MM
        self.text(x + (w - width) / 2, y + h / 2 + size / _MM * 0.38, text, size)

    def text(self, x: float, baseline: float, text: str, size: float = 10) -> None:
        """A line of print."""
        self.canvas.setFont(_FONT, size)
        self.canvas.drawString(x * _MM, (self.size[1] - baseline) * _MM, text)

    def downward(self, x: float, y: float, text: str, size: float = 10) -> None:
        """Vertical writing, one character below the other."""
        for index, one in enumerate(text):
            self.text(x, y + (index + 1) * size / _MM, one, size)

    def oval(self, x: float, y: float, w: float, h: float, text: str = "") -> None:
        """A bubble, with its label."""
        bottom = self.size[1] - y - h
        self.canvas.ellipse(x * _MM, bottom * _MM, (x + w) * _MM, (bottom + h) * _MM)
        if text:
            self.canvas.setFont(_FONT, 7)
            self.canvas.drawCentredString((x + w / 2) * _MM, (bottom + h / 2) * _MM - 2.4, text)

    def grid(self, x: float, y: float, w: float, h: float, columns: int, rows: int) -> None:
        """Equal cells side by side."""
        for row in range(rows):
            for column in range(columns):
                self.frame(x + column * w, y + row * h, w, h)

    def next_page(self) -> None:
        """Begin another page."""
        self.canvas.showPage()
        self.canvas.setLineWidth(0.7)

    def save(self) -> Path:
        """Write the file, once."""
        if not self._is_saved:
            self.canvas.save()
            self._is_saved = True
        return self.path

    def picture(self, dpi: float = 200, page: int = 0) -> NDArray[np.uint8]:
        """The saved sheet as a gray picture."""
        document = pdfium.PdfDocument(self.path)
        bitmap = document[page].render(scale=dpi / 72, grayscale=True)
        gray = np.array(bitmap.to_numpy(), np.uint8).reshape(bitmap.height, bitmap.width)
        document.close()
        return gray


def turned(gray: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """The picture turned clockwise about its middle, as a skewed scan is."""
    high, wide = gray.shape
    turn = cv2.getRotationMatrix2D(((wide - 1) / 2, (high - 1) / 2), -degrees, 1.0)
    return np.asarray(
        cv2.warpAffine(gray, turn, (wide, high), flags=cv2.INTER_AREA, borderValue=255), np.uint8
    )


def scanned(gray: NDArray[np.uint8], seed: int, noise: float = 6, shadow: float = 25) -> NDArray[np.uint8]:
    """The picture as a scanner gives it: blur, paper that is not white, a shadow to one side, noise."""
    random = np.random.default_rng(seed)
    blurred = cv2.GaussianBlur(gray, (0, 0), 0.8).astype(np.float32) * np.float32(0.85) + 30
    fall = np.linspace(0, shadow, gray.shape[1], dtype=np.float32)
    grain = random.standard_normal(gray.shape, np.float32) * np.float32(noise)
    return np.clip(blurred - fall + grain, 0, 255).astype(np.uint8)


def bilevel(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture in black and white only."""
    return np.where(gray < 150, np.uint8(0), np.uint8(255))


def photographed(gray: NDArray[np.uint8], seed: int, lean: float = 0.05) -> NDArray[np.uint8]:
    """The page lying on a desk as a telephone shows it: from an angle, unevenly lit, with noise.

    Args:
        gray: the page, shape (height, width).
        seed: of everything that varies.
        lean: how far the corners stray, as a share of the page's longer side.
    """
    random = np.random.default_rng(seed)
    high, wide = gray.shape
    margin = 0.09 * max(gray.shape)
    size = (round(wide + 2 * margin), round(high + 2 * margin))
    corners = np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32)
    strayed = corners + margin + random.uniform(-lean, lean, (4, 2)) * max(gray.shape)
    view = cv2.getPerspectiveTransform(corners, strayed.astype(np.float32))
    desk = np.asarray(
        cv2.resize(random.uniform(70, 120, (40, 40)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    )
    paper = cv2.warpPerspective(np.full_like(gray, 255), view, size, flags=cv2.INTER_LINEAR) / np.float32(255)
    print_ = cv2.warpPerspective(gray, view, size, flags=cv2.INTER_LINEAR).astype(np.float32) * 0.82 + 25
    picture = desk * (1 - paper) + print_ * paper
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    hand = np.float32(0.28) / (1 + np.exp(-(x * 0.6 + y - 0.9 * size[1]) / np.float32(0.04 * size[1])))
    picture *= np.float32(1.0) - hand
    picture = cv2.GaussianBlur(picture, (0, 0), 0.9) + random.standard_normal(picture.shape, np.float32) * 4
    taken = np.clip(picture, 0, 255).astype(np.uint8)
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", taken, [cv2.IMWRITE_JPEG_QUALITY, 88])[1], 0), np.uint8
    )
