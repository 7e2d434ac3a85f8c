"""The settings of a run and the places it reads and writes; imported by every room, imports none."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent

Input = Literal["sample", "mirror", "live"]


class HomeBelongsToAnotherInput(RuntimeError):
    """A REGION_HOME that holds data of one INPUT was opened with another."""


class Settings(BaseSettings):
    """Settings from the environment, each under its own name in capitals; empty means not set."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    input: Input = Field("sample", description="where bytes come from: sample, mirror or live")
    mirror: str | None = Field(None, description="base address that stands in for every publisher's host")
    region_home: Path | None = Field(None, description="root of everything that is written")
    as_of: AwareDatetime | None = Field(
        None, description="the run's clock, an ISO instant with offset such as 2026-11-25T08:00:00+01:00; default now"
    )
    sources_dir: Path = Field(REPOSITORY / "data" / "sources", description="folder of the source catalogue")

    task_retries: int = Field(2, ge=0, description="how often Airflow tries a failed task again; 0 waits for nobody")
    publisher_wait_limit_s: int = Field(7_200, ge=0, description="longest wait a publisher may ask for, in seconds")
    ingest_deadline_min: int = Field(180, gt=0, description="minutes after which an ingestion counts as late")
    release_deadline_min: int = Field(120, gt=0, description="minutes after which a release counts as late")

    airflow_port: int = Field(8080, gt=0, lt=65_536, description="port on 127.0.0.1 that `up` serves Airflow at")
    airflow_password: SecretStr | None = Field(None, description="password of the user admin; default: generated")
    metadata_database: SecretStr | None = Field(None, description="SQLAlchemy address; default: SQLite in the home")
    log_retention_days: int = Field(30, gt=0, description="days that task logs and Airflow's records are kept")
    openlineage_file: Path | None = Field(None, description="file that OpenLineage events are added to; default: none")

    alert_webhook: SecretStr | None = Field(None, description="address that alerts are posted to as JSON")
    alert_smtp: SecretStr | None = Field(None, description="mail server, smtp[s]://USER:PASSWORD@HOST:PORT")
    alert_mail_to: str | None = Field(None, description="addresses that alerts are mailed to, separated by commas")
    alert_mail_from: str | None = Field(None, description="sender of alerts; default: the first of ALERT_MAIL_TO")
    alert_reminder_days: int = Field(7, gt=0, description="days after which a trouble that lasts is told again")

    @field_validator("mirror")
    @classmethod
    def _mirror_is_an_address(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError(f"MIRROR must be an http(s) address such as http://127.0.0.1:8099, not {value!r}")
        return value

    @property
    def home(self) -> Home:
        """The folders of this run; default `data/runtime/<INPUT>` in the repository."""
        return Home((self.region_home or REPOSITORY / "data" / "runtime" / self.input).resolve())

    def clock(self) -> datetime:
        """The run's `as_of` in UTC, to the second: AS_OF where it is set, else now."""
        return (self.as_of or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)

    def rebase(self, url: str) -> str:
        """The address to ask for `url`: `https://HOST/PATH` becomes `MIRROR/HOST/PATH` where a mirror is set.

        Raises ValueError where INPUT is not live and no MIRROR is set: synthetic and mirrored homes never
        meet a publisher.
        """
        if self.input == "live":
            return url
        if self.mirror is None:
            raise ValueError(f"INPUT={self.input} needs MIRROR=http://HOST:PORT; {url} is not asked directly")
        return f"{self.mirror.rstrip('/')}/{url.split('://', 1)[1]}"


def wrong_settings(error: ValidationError) -> str:
    """What is wrong with settings, a line each: name and value as given, what came of it, what is expected."""
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else "settings"
        field = Settings.model_fields.get(name)
        expected = f"; expected: {field.description}" if field is not None and field.description else ""
        # A secret's value is not told: it is no plain text here.
        given = f"={problem['input']}" if field is not None and "Secret" not in str(field.annotation) else ""
        lines.append(f"{name.upper()}{given}: {problem['msg']}{expected}")
    return "\n".join(lines)


class Home:
    """The folders under one REGION_HOME."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox = root / "inbox"
        self.landing = root / "landing"
        self.staged = root / "staged"
        self.work = root / "work"
        self.releases = root / "releases"
        self.airflow = root / "airflow"
        self.logs = root / "logs"
        self.status = root / "status"
        self.sample = root / "sample"

    def claim(self, kind: Input) -> None:
        """Mark the home as belonging to `kind`, or raise HomeBelongsToAnotherInput.

        Synthetic bytes can so never enter a live release (design, section 2).
        """
        marker = self.root / "INPUT"
        self.root.mkdir(parents=True, exist_ok=True)
        if not marker.exists():
            # Linked into place whole, by the first who comes: a reader never meets an empty marker.
            draft = self.root / f".INPUT.{os.getpid()}"
            draft.write_text(kind + "\n", encoding="utf-8")
            with contextlib.suppress(FileExistsError):
                marker.hardlink_to(draft)
            draft.unlink()
        owner = marker.read_text(encoding="utf-8").strip()
        if owner != kind:
            raise HomeBelongsToAnotherInput(
                f"{self.root} holds data of INPUT={owner}, this run has INPUT={kind}: "
                f"set REGION_HOME to another folder or run with INPUT={owner}"
            )
