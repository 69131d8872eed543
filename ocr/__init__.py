"""Crops to text: recognition of handwriting and its verification against the model answer.

No model ships yet: until one does, a written answer is `blank` or `doubtful` (see `omr.written_boxes`).
"""
