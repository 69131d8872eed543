"""All tables together, for migrations, backups and the tests that compare them."""

from __future__ import annotations

from scoring.storage.grading_tables import GRADING_ONLY_ADDED_TO
from scoring.storage.scan_tables import SCANS_ONLY_ADDED_TO
from scoring.storage.tables import ONLY_ADDED_TO, SchoolRow

METADATA = SchoolRow.metadata
"""Of all tables."""
ALL_ONLY_ADDED_TO = (*ONLY_ADDED_TO, *SCANS_ONLY_ADDED_TO, *GRADING_ONLY_ADDED_TO)
"""Tables whose rows are never changed or removed; triggers hold to that."""
BLOB_COLUMNS = frozenset(
    {("exam_layouts", "reference_blob"), ("scan_files", "blob"), ("answer_readings", "atlas")}
)
"""The columns, by table, that hold hashes of blobs; a backup says which of them it could not keep."""
