"""What kind of vehicle a GTFS `route_type` means.

Basic types: https://gtfs.org/documentation/schedule/reference/#routestxt . Extended types go by hundreds:
https://developers.google.com/transit/gtfs/reference/extended-route-types . German feeds use both, and 717 for taxis
that come on call.
"""

from __future__ import annotations

_BASIC = {
    0: "tram",
    1: "subway",
    2: "rail",
    3: "bus",
    4: "ferry",
    5: "cable_tram",
    6: "aerial_lift",
    7: "funicular",
    11: "trolleybus",
    12: "monorail",
}
_SINGLE = {405: "monorail", 717: "taxi"}
_HUNDREDS = {
    1: "rail",
    2: "coach",
    3: "rail",
    4: "subway",
    5: "subway",
    6: "subway",
    7: "bus",
    8: "trolleybus",
    9: "tram",
    10: "ferry",
    11: "air",
    12: "ferry",
    13: "aerial_lift",
    14: "funicular",
    15: "taxi",
}
OTHER = "other"
MODES = frozenset({*_BASIC.values(), *_SINGLE.values(), *_HUNDREDS.values(), OTHER})


def mode_sql(route_type: str) -> str:
    """A DuckDB expression for the mode of a route type, itself an expression; `other` for types nobody assigned."""
    basic = " ".join(f"when {route_type} = {number} then '{mode}'" for number, mode in (_BASIC | _SINGLE).items())
    hundreds = " ".join(f"when {route_type} // 100 = {number} then '{mode}'" for number, mode in _HUNDREDS.items())
    return f"case {basic} {hundreds} when {route_type} is not null then '{OTHER}' end"
