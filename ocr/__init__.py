"""Crops to text: recognition of handwriting, its verification against the right answers, groups of equal answers.

The way in is `ocr.handwriting`.
"""
