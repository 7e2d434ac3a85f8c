"""One module per publisher format: bytes of one snapshot to typed rows."""

# name in the catalogue -> module and attribute below connectors.formats
CONNECTORS = {
    "accident_atlas": "accident_atlas:CONNECTOR",
    "barrier_free_stops": "barrier_free_stops:CONNECTOR",
    "bast_hours": "bast:HOURS",
    "bast_stations": "bast:STATIONS",
    "bkg_boundaries": "bkg_boundaries:CONNECTOR",
    "census_grid": "census_grid:CONNECTOR",
    "charging_register": "charging_register:CONNECTOR",
    "eco_counter_csv": "eco_counter:READINGS",
    "eco_counter_sites": "eco_counter:SITES",
    "eco_visio": "eco_visio:READINGS",
    "eco_visio_sites": "eco_visio:SITES",
    "genesis_ffcsv": "genesis_ffcsv:CONNECTOR",
    "gtfs": "gtfs:CONNECTOR",
    "gtfs_realtime": "gtfs_realtime:CONNECTOR",
    "localzero_renewable_energy": "localzero_renewable_energy:CONNECTOR",
    "mastr_export": "mastr:CONNECTOR",
    "municipality_directory": "municipality_directory:CONNECTOR",
    "schools_nrw": "schools_nrw:CONNECTOR",
}
