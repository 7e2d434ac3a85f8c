"""Parse the Energy-Charts API (Fraunhofer ISE): public power, prices and installed power.

`public_power`: `{"unix_seconds": […], "production_types": [{"name", "data": […]}, …]}` in MW on average;
`price`: `{"unix_seconds": […], "price": […], "unit": "EUR / MWh"}`; `installed_power`: `{"time": ["2025", …],
"production_types": […]}` in GW. All lists of an answer are as long as the first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from reprlib import repr as shortened
from typing import Any, Literal

from connectors.civil_time import CIVIL_TIME
from connectors.connector import Connector, Snapshot
from connectors.errors import SnapshotRefused
from connectors.formats.market import (
    EUR_PER_MWH,
    GW,
    MW,
    NO_NUMBER,
    Reading,
    Series,
    instant_of,
    number_of,
    stage,
)
from connectors.region import Region
from connectors.staging import StagedWriter
from connectors.tables import MARKET_READING as TABLE

Answer = Literal["power", "price", "installed"]
# Production type -> series; SMARD's `Wasserkraft` is run-of-river and reservoirs together.
POWER = {
    "Hydro Run-of-River": "generation_hydro_run_of_river",
    "Hydro water reservoir": "generation_hydro_reservoir",
    "Hydro pumped storage": "generation_pumped_storage",
    "Biomass": "generation_biomass",
    "Fossil brown coal / lignite": "generation_lignite",
    "Fossil hard coal": "generation_hard_coal",
    "Fossil oil": "generation_oil",
    "Fossil coal-derived gas": "generation_coal_gas",
    "Fossil gas": "generation_gas",
    "Geothermal": "generation_geothermal",
    "Nuclear": "generation_nuclear",
    "Others": "generation_others",
    "Waste": "generation_waste",
    "Wind offshore": "generation_wind_offshore",
    "Wind onshore": "generation_wind_onshore",
    "Solar": "generation_solar",
    "Load": "load",
    "Residual load": "residual_load",
}
# The modules' capacity (DC) is what the MaStR calls Bruttoleistung; before the two were told apart it was `Solar`.
INSTALLED = {
    "Solar": "capacity_solar",
    "Solar DC": "capacity_solar",
    "Wind onshore": "capacity_wind_onshore",
    "Wind offshore": "capacity_wind_offshore",
    "Biomass": "capacity_biomass",
    "Hydro": "capacity_hydro",
}
# Trade, shares of other series, and what no technology of ours has.
NOT_STAGED = frozenset(
    {
        "Cross border electricity trading",
        "Hydro pumped storage consumption",
        "Renewable share of generation",
        "Renewable share of load",
        "Solar AC",
        "Solar planned (EEG 2023)",
        "Wind onshore planned (EEG 2023)",
        "Wind offshore planned (EEG 2023)",
        "Nuclear",
        "Fossil brown coal / lignite",
        "Fossil hard coal",
        "Fossil gas",
        "Fossil oil",
        "Other, non-renewable",
        "Battery storage (power)",
        "Battery storage (capacity)",
        "Hydro pumped storage",
    }
)
# A month of quarter-hours has 2,976; ten years are 350,000.
LENGTH_LIMIT, TYPES_LIMIT = 400_000, 100
NOT_OURS = "production type not staged"


def parse(
    snapshot: Snapshot, out: StagedWriter, region: Region, /, *, answer: Answer, market_region: str = "DE"
) -> None:
    """Stage an answer; a record is one value of a production type or price, null is missing, at the end not yet there.

    Units: MW on average over the interval, EUR/MWh, GW installed. Raises SnapshotRefused for any other layout.
    """
    content = _content(snapshot)
    if answer == "installed":
        moments, resolution = _years(snapshot, content)
    else:
        moments, resolution = _instants(snapshot, content)
    if answer == "price":
        if not re.fullmatch(r"EUR\s*/\s*MWh", str(content.get("unit"))):
            raise _refusal(snapshot, f"unit {str(content.get('unit'))[:40]!r}, expected EUR / MWh")
        prices = _values(snapshot, "price", content.get("price"), len(moments))
        _stage(out, Series("price_day_ahead", EUR_PER_MWH), market_region, resolution, moments, prices, 0)
        return
    names = POWER if answer == "power" else INSTALLED
    told: set[str] = set()
    for place, (name, values) in enumerate(_types(snapshot, content, len(moments))):
        if name not in names:
            out.read(TABLE, len(values))
            out.out_of_scope(TABLE, NOT_OURS, len(values))
            if name not in NOT_STAGED:
                out.drift(TABLE, name, "new")
            continue
        if names[name] in told:
            raise _refusal(snapshot, f"production type {name!r} tells {names[name]} a second time")
        told.add(names[name])
        series = Series(names[name], MW if answer == "power" else GW)
        _stage(out, series, market_region, resolution, moments, values, place)


def _stage(
    out: StagedWriter,
    series: Series,
    market_region: str,
    resolution: str,
    moments: Sequence[datetime],
    values: Sequence[Any],
    place: int,
) -> None:
    out.read(TABLE, len(values))
    readings = []
    for number, (at, value) in enumerate(zip(moments, values, strict=True), start=place * len(moments) + 1):
        read = number_of(value)
        if read is None and value is not None:
            out.reject(TABLE, number, series.name, shortened(value), NO_NUMBER)
        else:
            readings.append(Reading(number, at, read))
    stage(out, series, market_region, resolution, readings)


def _content(snapshot: Snapshot) -> dict[str, Any]:
    try:
        content = json.loads(snapshot.path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise _refusal(snapshot, f"expected JSON, {error}") from error
    if not isinstance(content, dict):
        raise _refusal(snapshot, "expected a JSON object")
    return content


def _types(snapshot: Snapshot, content: dict[str, Any], length: int) -> list[tuple[str, list[Any]]]:
    types = content.get("production_types")
    if not isinstance(types, list) or not 0 < len(types) <= TYPES_LIMIT:
        raise _refusal(snapshot, f"expected a list of 1 to {TYPES_LIMIT} production_types")
    if not all(isinstance(each, dict) for each in types):
        raise _refusal(snapshot, "expected production_types to be objects")
    found = []
    for each in types:
        name = each.get("name")
        if not isinstance(name, str):
            raise _refusal(snapshot, "expected every production type to have a name")
        found.append((name, _values(snapshot, name, each.get("data"), length)))
    return found


def _values(snapshot: Snapshot, name: str, values: Any, length: int) -> list[Any]:
    if not isinstance(values, list) or len(values) != length:
        came = len(values) if isinstance(values, list) else "none"
        raise _refusal(snapshot, f"{name[:60]!r} has {came} values for {length} moments")
    return values


def _instants(snapshot: Snapshot, content: dict[str, Any]) -> tuple[list[datetime], str]:
    """The beginnings of the intervals and their resolution, told by the shortest step between them."""
    seconds = content.get("unix_seconds")
    if not isinstance(seconds, list) or not 0 < len(seconds) <= LENGTH_LIMIT:
        raise _refusal(snapshot, f"expected a list of 1 to {LENGTH_LIMIT} unix_seconds")
    moments = [at for second in seconds if (at := instant_of(second)) is not None]
    if len(moments) < len(seconds):
        raise _refusal(snapshot, "unix_seconds holds what is no instant of this market")
    steps = {int((later - at).total_seconds()) for at, later in pairwise(moments)}
    resolution = "hour" if steps and min(steps) == 3600 else "quarterhour"
    minutes = 3600 if resolution == "hour" else 900
    if any(step <= 0 or step % minutes for step in steps) or any(at.timestamp() % minutes for at in moments):
        raise _refusal(snapshot, "expected instants that rise by quarter-hours or hours")
    return moments, resolution


def _years(snapshot: Snapshot, content: dict[str, Any]) -> tuple[list[datetime], str]:
    """The beginnings of the years told, in local time."""
    years = content.get("time")
    if not isinstance(years, list) or not all(re.fullmatch(r"(19|20)[0-9]{2}", str(year)) for year in years):
        raise _refusal(snapshot, "expected a list time of years; ask with time_step=yearly")
    if len(set(map(str, years))) < len(years):
        raise _refusal(snapshot, "expected every year once")
    return [datetime(int(year), 1, 1, tzinfo=CIVIL_TIME).astimezone(UTC) for year in years], "year"


def _refusal(snapshot: Snapshot, what: str) -> SnapshotRefused:
    return SnapshotRefused(f"{snapshot.source_id}: {snapshot.path.name}: {what}; ask the publisher again")


CONNECTOR = Connector("energy_charts", version=1, payload="json", tables=(TABLE,), parse=parse)
