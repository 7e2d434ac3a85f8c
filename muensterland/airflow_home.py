"""Airflow's own home below REGION_HOME: configuration by environment, metadata database, pools, secrets."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from muensterland.orchestration import pool_name, sources_by_domain
from muensterland.settings import REPOSITORY, Home, Settings

# dbt lets one process write the candidate (design, section 2).
WAREHOUSE_POOL = "warehouse"
USER = "admin"
# Tasks at once under `up`: a domain's hosts are asked side by side, and a laptop stays usable.
PARALLELISM = "4"


def configure(home: Home) -> None:
    """Set Airflow's environment; must come before the first import of airflow. What is set already stays."""
    home.airflow.mkdir(parents=True, exist_ok=True)
    settings = Settings()
    defaults = {
        "AIRFLOW_HOME": str(home.airflow),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_database(settings),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "airflow"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
        **_openlineage(settings.openlineage_file),
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Tasks import the rooms by name, wherever Airflow starts them.
    paths = [str(REPOSITORY), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    os.environ["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))


def configure_living(home: Home, port: int) -> None:
    """What a living Airflow needs beyond `configure`: loopback only, few processes, secrets of its own."""
    address = f"http://127.0.0.1:{port}"
    defaults = {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": PARALLELISM,
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(password_file(home)),
        "AIRFLOW__CORE__FERNET_KEY": _secret(home, "fernet_key", _fernet_key),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": _secret(home, "secret_key", secrets.token_urlsafe),
        "AIRFLOW__API_AUTH__JWT_SECRET": _secret(home, "jwt_secret", secrets.token_urlsafe),
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Tasks ask the API server: on this machine, whatever proxy the network wants.
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [*filter(None, os.environ.get(name, "").split(",")), "127.0.0.1", "localhost"]
        os.environ[name] = ",".join(dict.fromkeys(hosts))
    _keep_password(home, Settings())
    configure(home)


def metadata_database(settings: Settings) -> str:
    """The SQLAlchemy address of Airflow's metadata: METADATA_DATABASE, else SQLite in the home."""
    if settings.metadata_database is not None:
        return settings.metadata_database.get_secret_value()
    return f"sqlite:///{settings.home.airflow / 'airflow.db'}"


def password_file(home: Home) -> Path:
    """Where the password of the page's user lies, readable for the owner alone."""
    return home.airflow / "secrets" / "passwords.json"


def prepare_database(home: Home) -> None:
    """Create or upgrade the metadata database and the pools: once per version of Airflow, database and catalogue."""
    from airflow import __version__

    database = hashlib.sha256(os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].encode()).hexdigest()
    state = "\n".join([__version__, database, *pools()])
    marker = home.airflow / "prepared"
    if marker.exists() and marker.read_text(encoding="utf-8") == state:
        return
    from airflow.utils.db import initdb

    initdb()
    make_pools()
    _replace_text(marker, state)


def pools() -> list[str]:
    """The pools the DAGs need: one per host of the catalogue, and the warehouse's."""
    hosts = {pool_name(source) for sources in sources_by_domain().values() for source in sources}
    return [*sorted(hosts), WAREHOUSE_POOL]


def make_pools() -> None:
    """Make the pools in whatever Airflow the environment means; one slot each, which a deferred task gives back."""
    from airflow.models.pool import Pool

    for pool in pools():
        Pool.create_or_update_pool(pool, slots=1, description="made from the catalogue", include_deferred=False)


def _openlineage(file: Path | None) -> dict[str, str]:
    """Events go to a file where one is named; otherwise the provider is off, not merely silent."""
    if file is None:
        return {"AIRFLOW__OPENLINEAGE__DISABLED": "True"}
    # Airflow's transport writes into a folder that is there, or nowhere.
    file.resolve().parent.mkdir(parents=True, exist_ok=True)
    transport = {"type": "file", "log_file_path": str(file.resolve()), "append": True}
    return {
        "AIRFLOW__OPENLINEAGE__DISABLED": "False",
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "muensterland",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        # Events name what ran and what it read and wrote; the code lies in the repository.
        "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": json.dumps(
            [{"scope": {}, "controls": {"include_source_code": False}}]
        ),
    }


def _fernet_key() -> str:
    from cryptography.fernet import Fernet

    return Fernet.generate_key().decode()


def _secret(home: Home, name: str, make: Callable[[], str]) -> str:
    """A secret of this home, made once."""
    place = home.airflow / "secrets" / name
    if not place.exists():
        _write_private(place, make())
    return place.read_text(encoding="utf-8")


def _keep_password(home: Home, settings: Settings) -> None:
    """Write the password before Airflow does: it would print a generated one to its log."""
    place = password_file(home)
    if settings.airflow_password is not None:
        _write_private(place, json.dumps({USER: settings.airflow_password.get_secret_value()}))
    elif not place.exists():
        _write_private(place, json.dumps({USER: secrets.token_urlsafe(12)}))


def _write_private(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = place.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(place)


def _replace_text(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
