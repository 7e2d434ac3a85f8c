"""Airflow's own home below REGION_HOME: configuration by environment, metadata database, pools."""

from __future__ import annotations

import os
from pathlib import Path

from muensterland.orchestration import pool_name, sources_by_domain
from muensterland.settings import REPOSITORY, Home

# dbt lets one process write the candidate (design, section 2).
WAREHOUSE_POOL = "warehouse"


def configure(home: Home) -> None:
    """Set Airflow's environment; must come before the first import of airflow. What is set already stays."""
    home.airflow.mkdir(parents=True, exist_ok=True)
    defaults = {
        "AIRFLOW_HOME": str(home.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home.airflow / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "airflow"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Tasks import the rooms by name, wherever Airflow starts them.
    paths = [str(REPOSITORY), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))


def prepare_database(home: Home) -> None:
    """Create or upgrade the metadata database and the pools: once per version of Airflow and of the catalogue."""
    from airflow import __version__

    pools = sorted({pool_name(source) for sources in sources_by_domain().values() for source in sources})
    state = "\n".join([__version__, *pools])
    marker = home.airflow / "prepared"
    if marker.exists() and marker.read_text(encoding="utf-8") == state:
        return
    from airflow.models.pool import Pool
    from airflow.utils.db import initdb

    initdb()
    for pool in [*pools, WAREHOUSE_POOL]:
        Pool.create_or_update_pool(pool, slots=1, description="made from the catalogue", include_deferred=False)
    _replace_text(marker, state)


def _replace_text(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
