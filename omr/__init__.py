"""Pixels to readings: scan files, pages, registration, sheet ids, crops, bubbles; and the printed sheet itself."""
