"""What MLflow works out anew in every process, worked out when this module is imported.

A forking parent imports it for all its kernels, in each of which that is then a twentieth of a
second less before the first cell. Nothing here depends on a store or on the process.
"""

from __future__ import annotations

from functools import cache

from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels import models
from sqlalchemy.orm import configure_mappers

__all__: list[str] = []

# The revision that the installed MLflow's tables have, for which alembic reads a folder of scripts.
utils._get_latest_schema_revision = cache(utils._get_latest_schema_revision)
utils._get_latest_schema_revision()
assert models
configure_mappers()
