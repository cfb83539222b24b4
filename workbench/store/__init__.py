"""Our own records: what MLflow has no table for.

One idea: a row is written before the work it speaks of starts, and changed only by the one who
holds that work, so that whatever is killed, what the tables say stays true. SQLite in WAL mode by
default, PostgreSQL by its address; Alembic brings an older database up to date.
"""

from workbench.store.database import ConflictError, Database, database, insert_missing
from workbench.store.files import file_lock, write_atomic
from workbench.store.room import DiskFullError, disk_full, failure, room
from workbench.store.tables import (
    AlertRow,
    ApprovalRow,
    CheckRow,
    DatasetRow,
    DecisionRow,
    EdgeRow,
    FeatureStatisticsRow,
    FeatureVersionRow,
    FeatureViewRow,
    FunctionRow,
    GateRow,
    HolderRow,
    JobRow,
    MaterializationRow,
    PipelineRunRow,
    PredictionRow,
    ReproductionRow,
    StepRow,
    TickRow,
    WindowRow,
    now,
)
from workbench.store.wal import use_wal

__all__ = [
    "AlertRow",
    "ApprovalRow",
    "CheckRow",
    "ConflictError",
    "Database",
    "DatasetRow",
    "DecisionRow",
    "DiskFullError",
    "EdgeRow",
    "FeatureStatisticsRow",
    "FeatureVersionRow",
    "FeatureViewRow",
    "FunctionRow",
    "GateRow",
    "HolderRow",
    "JobRow",
    "MaterializationRow",
    "PipelineRunRow",
    "PredictionRow",
    "ReproductionRow",
    "StepRow",
    "TickRow",
    "WindowRow",
    "database",
    "disk_full",
    "failure",
    "file_lock",
    "insert_missing",
    "now",
    "room",
    "use_wal",
    "write_atomic",
]
