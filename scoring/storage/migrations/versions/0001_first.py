"""The first tables: schools, accounts, exams, rosters, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scoring.storage.only_added import refuse_changes

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ONLY_ADDED_TO = ("exam_versions", "exam_states", "events")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "schools",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schools"),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_accounts_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("school_id", "login", name="uq_accounts_school_id_login"),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("login_digest", sa.String(), nullable=False),
        sa.Column("address_digest", sa.String(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_failed_sign_ins_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_failed_sign_ins"),
    )
    op.create_index(
        "ix_failed_sign_ins_address_digest_tried_at",
        "failed_sign_ins",
        ["address_digest", "tried_at"],
        unique=False,
    )
    op.create_index(
        "ix_failed_sign_ins_login_digest_tried_at",
        "failed_sign_ins",
        ["login_digest", "tried_at"],
        unique=False,
    )
    op.create_table(
        "answered_requests",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_answered_requests_account_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_answered_requests_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_answered_requests"),
        sa.UniqueConstraint("account_id", "key", name="uq_answered_requests_account_id_key"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(length=26), nullable=True),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_events_account_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_events_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_table(
        "exams",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=26), nullable=False),
        sa.Column("copied_from", sa.String(length=26), nullable=True),
        sa.ForeignKeyConstraint(["copied_from"], ["exams.id"], name="fk_exams_copied_from"),
        sa.ForeignKeyConstraint(["created_by"], ["accounts.id"], name="fk_exams_created_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_exams_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exams"),
        sa.UniqueConstraint("school_id", "code", name="uq_exams_school_id_code"),
    )
    op.create_table(
        "rosters",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["accounts.id"], name="fk_rosters_changed_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_rosters_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rosters"),
        sa.UniqueConstraint("school_id", "school_year", name="uq_rosters_school_id_school_year"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=26), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_sessions_account_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_sessions_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"], unique=False)
    op.create_table(
        "setup_links",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=26), nullable=True),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_setup_links_account_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_setup_links_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_setup_links"),
        sa.UniqueConstraint("token_hash", name="uq_setup_links_token_hash"),
    )
    op.create_index("ix_setup_links_account_id", "setup_links", ["account_id"], unique=False)
    op.create_table(
        "classes",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("roster_id", sa.String(length=26), nullable=False),
        sa.Column("grade", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["roster_id"], ["rosters.id"], name="fk_classes_roster_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_classes_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_classes"),
        sa.UniqueConstraint("roster_id", "grade", "name", name="uq_classes_roster_id_grade_name"),
    )
    op.create_table(
        "exam_states",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_exam_states_exam_id"),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_exam_states_made_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_exam_states_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exam_states"),
        sa.UniqueConstraint("exam_id", "number", name="uq_exam_states_exam_id_number"),
    )
    op.create_table(
        "exam_versions",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("exam_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("date", sa.Date(), nullable=True),
        sa.Column("max_points", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name="fk_exam_versions_exam_id"),
        sa.ForeignKeyConstraint(["made_by"], ["accounts.id"], name="fk_exam_versions_made_by"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_exam_versions_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_exam_versions"),
        sa.UniqueConstraint("exam_id", "number", name="uq_exam_versions_exam_id_number"),
    )
    op.create_table(
        "students",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("school_id", sa.String(length=26), nullable=False),
        sa.Column("school_year", sa.Integer(), nullable=False),
        sa.Column("roster_id", sa.String(length=26), nullable=False),
        sa.Column("class_id", sa.String(length=26), nullable=False),
        sa.Column("student_id", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kana", sa.String(), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name="fk_students_class_id"),
        sa.ForeignKeyConstraint(["roster_id"], ["rosters.id"], name="fk_students_roster_id"),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name="fk_students_school_id"),
        sa.PrimaryKeyConstraint("id", name="pk_students"),
        sa.UniqueConstraint("roster_id", "student_id", name="uq_students_roster_id_student_id"),
    )
    op.create_index("ix_students_class_id", "students", ["class_id"], unique=False)
    for table in _ONLY_ADDED_TO:
        refuse_changes(table)
