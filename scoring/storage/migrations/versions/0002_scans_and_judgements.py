"""Scans, judgements, duties, attendance and the feed of changes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.storage.only_added import refuse_changes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ONLY_ADDED_TO = (
    "exam_layouts",
    "page_readings",
    "answer_readings",
    "page_decisions",
    "judgements",
    "attendances",
    "score_snapshots",
    "exam_changes",
)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "score_snapshots",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("state_number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("change_number", sa.Integer(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_score_snapshots_exam_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_score_snapshots_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_score_snapshots"),
        sa.UniqueConstraint("exam_id", "state_number", name="uq_score_snapshots_exam_id_state_number"),
    )
    op.create_table(
        "exam_changes",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_exam_changes_exam_id"),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_exam_changes_made_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_exam_changes_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exam_changes"),
        sa.UniqueConstraint("exam_id", "number", name="uq_exam_changes_exam_id_number"),
    )
    op.create_table(
        "exam_layouts",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reference_name", sa.String(), nullable=True),
        sa.Column("reference_blob", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_exam_layouts_exam_id"),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_exam_layouts_made_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_exam_layouts_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exam_layouts"),
        sa.UniqueConstraint("exam_id", "number", name="uq_exam_layouts_exam_id_number"),
    )
    op.create_table(
        "intakes",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_intakes_exam_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_intakes_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_intakes"),
        sa.UniqueConstraint("exam_id", name="uq_intakes_exam_id"),
    )
    op.create_table(
        "scan_files",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("blob", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.String(length=26), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_scan_files_exam_id"),
        sa.ForeignKeyConstraint(["received_by"], ["accounts.id"], name="fk_scan_files_received_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_scan_files_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_scan_files"),
        sa.UniqueConstraint("exam_id", "blob", name="uq_scan_files_exam_id_blob"),
    )
    op.create_index("ix_scan_files_state_lease_until", "scan_files", ["state", "lease_until"], unique=False)
    op.create_table(
        "second_gradings",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_second_gradings_exam_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_second_gradings_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_second_gradings"),
        sa.UniqueConstraint("exam_id", "question", name="uq_second_gradings_exam_id_question"),
    )
    op.create_table(
        "duties",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("account_id", sa.String(length=26), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("question", sa.String(), nullable=True),
        sa.Column("class_id", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_duties_account_id"),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_duties_class_id"),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_duties_exam_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_duties_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_duties"),
    )
    op.create_index("ix_duties_exam_id", "duties", ["exam_id"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=26), nullable=False),
        sa.Column("file_id", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_uploads_exam_id"),
        sa.ForeignKeyConstraint(["file_id"], ["scan_files.id"], name="fk_uploads_file_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_uploads_school_id"),
        sa.ForeignKeyConstraint(["started_by"], ["accounts.id"], name="fk_uploads_started_by"),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_exam_id", "uploads", ["exam_id"], unique=False)
    op.create_table(
        "attendances",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("student_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attendance", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_attendances_exam_id"),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_attendances_made_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_attendances_school_id"),
        sa.ForeignKeyConstraint(["student_id"], ["students.id"], name="fk_attendances_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attendances"),
        sa.UniqueConstraint(
            "exam_id", "student_id", "number", name="uq_attendances_exam_id_student_id_number"
        ),
    )
    op.create_table(
        "scan_pages",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("file_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("hints", sa.JSON(), nullable=True),
        sa.Column("reading_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("trouble", sa.String(), nullable=False),
        sa.Column("sheet", sa.String(), nullable=False),
        sa.Column("sheet_page", sa.Integer(), nullable=True),
        sa.Column("student_id", sa.String(length=26), nullable=True),
        sa.Column("owner", sa.JSON(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_scan_pages_exam_id"),
        sa.ForeignKeyConstraint(["file_id"], ["scan_files.id"], name="fk_scan_pages_file_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_scan_pages_school_id"),
        sa.ForeignKeyConstraint(["student_id"], ["students.id"], name="fk_scan_pages_student_id"),
        sa.PrimaryKeyConstraint("id", name="pk_scan_pages"),
        sa.UniqueConstraint("file_id", "number", "part", name="uq_scan_pages_file_id_number_part"),
    )
    op.create_index("ix_scan_pages_exam_id_status", "scan_pages", ["exam_id", "status"], unique=False)
    op.create_index("ix_scan_pages_state_lease_until", "scan_pages", ["state", "lease_until"], unique=False)
    op.create_index("ix_scan_pages_student_id", "scan_pages", ["student_id"], unique=False)
    op.create_table(
        "judgements",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("page_id", sa.String(length=26), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("points", sa.String(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("rubric", sa.JSON(), nullable=False),
        sa.Column("strokes", sa.JSON(), nullable=False),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("follows", sa.String(), nullable=True),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_judgements_exam_id"),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_judgements_made_by"),
        sa.ForeignKeyConstraint(["page_id"], ["scan_pages.id"], name="fk_judgements_page_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_judgements_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_judgements"),
        sa.UniqueConstraint("made_by", "key", name="uq_judgements_made_by_key"),
    )
    op.create_index(
        "ix_judgements_scores",
        "judgements",
        ["exam_id", "question", "id", "mark", "points", "picture"],
        unique=False,
    )
    op.create_index(
        "ix_judgements_page_id_question_round", "judgements", ["page_id", "question", "round"], unique=False
    )
    op.create_table(
        "page_decisions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("page_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_page_decisions_exam_id"),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_page_decisions_made_by"),
        sa.ForeignKeyConstraint(["page_id"], ["scan_pages.id"], name="fk_page_decisions_page_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_page_decisions_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_page_decisions"),
        sa.UniqueConstraint("page_id", "number", name="uq_page_decisions_page_id_number"),
    )
    op.create_index("ix_page_decisions_exam_id", "page_decisions", ["exam_id"], unique=False)
    op.create_table(
        "page_readings",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("page_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("exam_version", sa.Integer(), nullable=False),
        sa.Column("layout_number", sa.Integer(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_page_readings_exam_id"),
        sa.ForeignKeyConstraint(["page_id"], ["scan_pages.id"], name="fk_page_readings_page_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_page_readings_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_page_readings"),
        sa.UniqueConstraint("page_id", "number", name="uq_page_readings_page_id_number"),
    )
    op.create_index("ix_page_readings_exam_id", "page_readings", ["exam_id"], unique=False)
    op.create_table(
        "answer_readings",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("page_id", sa.String(length=26), nullable=False),
        sa.Column("reading_id", sa.String(length=26), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reading", sa.String(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("is_answer", sa.Double(), nullable=True),
        sa.Column("measures", sa.String(), nullable=False),
        sa.Column("reader", sa.String(), nullable=False),
        sa.Column("alternatives", sa.Text(), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=True),
        sa.Column("picture", sa.String(), nullable=False),
        sa.Column("atlas", sa.String(), nullable=True),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.Column("w", sa.Integer(), nullable=False),
        sa.Column("h", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_answer_readings_exam_id"),
        sa.ForeignKeyConstraint(["page_id"], ["scan_pages.id"], name="fk_answer_readings_page_id"),
        sa.ForeignKeyConstraint(["reading_id"], ["page_readings.id"], name="fk_answer_readings_reading_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_answer_readings_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_answer_readings"),
        sa.UniqueConstraint("reading_id", "question", name="uq_answer_readings_reading_id_question"),
    )
    op.create_index("ix_answer_readings_atlas", "answer_readings", ["atlas"], unique=False)
    op.create_index(
        "ix_answer_readings_exam_id_question", "answer_readings", ["exam_id", "question"], unique=False
    )
    op.create_table(
        "standing_judgements",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("page_id", sa.String(length=26), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("judgement_id", sa.String(length=26), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_standing_judgements_exam_id"),
        sa.ForeignKeyConstraint(
            ["judgement_id"], ["judgements.id"], name="fk_standing_judgements_judgement_id"
        ),
        sa.ForeignKeyConstraint(["page_id"], ["scan_pages.id"], name="fk_standing_judgements_page_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_standing_judgements_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_standing_judgements"),
        sa.UniqueConstraint(
            "page_id", "question", "round", name="uq_standing_judgements_page_id_question_round"
        ),
    )
    op.create_index(
        "ix_standing_judgements_scores",
        "standing_judgements",
        ["exam_id", "question", "page_id", "round", "judgement_id"],
        unique=False,
    )
    op.add_column("exams", sa.Column("change_number", sa.Integer(), server_default="0", nullable=False))
    for table in _ONLY_ADDED_TO:
        refuse_changes(table)
