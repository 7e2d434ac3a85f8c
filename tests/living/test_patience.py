"""Under a living Airflow: a publisher that asks for patience is waited for without a worker, and who waits too long is
told of. `make day` runs it.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from muensterland.settings import Settings
from tests.connectors.publisher import Asked, Reply, publishing
from tests.living.up import airflow, until
from tests.muensterland.webhook import webhook

pytestmark = pytest.mark.living

URL = "https://www.schulministerium.nrw.de/BiPo/OpenData/Schuldaten/schuldaten.csv"
HEADER = (
    "Schulnummer;Schulform;Schulbezeichnung_1;Schulbezeichnung_2;Schulbezeichnung_3;Kurzbezeichnung;PLZ;Ort;Strasse;"
    "Telefonvorwahl;Telefon;Faxvorwahl;Fax;E-Mail;Homepage;Rechtsform;Traegernummer;Gemeindeschluessel;"
    "Schulbetriebsschluessel;Schulbetriebsdatum;EPSG;UTMRechtswert;UTMHochwert;"
)
# Longer than the deadline of a minute.
PATIENCE_S = 90


def test_patience(tmp_path: Path) -> None:
    catalogue = tmp_path / "sources"
    catalogue.mkdir()
    text = (Settings().sources_dir / "nrw-schools.yml").read_text(encoding="utf-8")
    # A fetch that may last five seconds does not wait ninety by itself.
    text = text.replace("    connector: schools_nrw\n", "    connector: schools_nrw\n    time_limit_s: 5\n")
    (catalogue / "nrw-schools.yml").write_text(text, encoding="utf-8")
    asked_at: list[float] = []

    def schools(asked: Asked) -> Reply:
        asked_at.append(time.monotonic())
        if len(asked_at) == 1:
            return Reply(429, headers={"Retry-After": str(PATIENCE_S)})
        return Reply(200, f"sep=;\n{HEADER}\n".encode())

    home = tmp_path / "home"
    with publishing() as publisher, webhook() as (hook, posted):
        publisher.says(URL, schools)
        settings = {"SOURCES_DIR": str(catalogue), "ALERT_WEBHOOK": hook, "INGEST_DEADLINE_MIN": "1"}
        with airflow(home, INPUT="mirror", MIRROR=publisher.base, **settings) as up:

            def state() -> str | None:
                runs = up.runs("ingest_registers")
                tasks = up.tasks("ingest_registers", runs[0]["dag_run_id"]) if runs else {}
                # Airflow names a mapped task by its source only once it has ended.
                return next((found for name, found in tasks.items() if ".fetch" in name), None)

            until(lambda: state() == "deferred", limit_s=120)
            pool = up.get("pools/www_schulministerium_nrw_de")
            assert (pool["deferred_slots"], pool["occupied_slots"], pool["open_slots"]) == (1, 0, 1)
            until(lambda: state() == "success", limit_s=240)
            assert len(asked_at) == 2
            assert asked_at[1] - asked_at[0] >= PATIENCE_S
            until(lambda: up.runs("ingest_registers")[0]["state"] == "success", limit_s=120)
            told = [(entry.body["kind"], entry.body["state"]) for entry in posted
                    if entry.body["subject"] == "dag ingest_registers"]  # fmt: skip
            assert told == [("trouble", "late"), ("recovery", "ok")]
