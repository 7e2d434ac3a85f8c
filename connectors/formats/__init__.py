"""One module per publisher format: bytes of one snapshot to typed rows."""

# name in the catalogue -> module and attribute below connectors.formats
CONNECTORS = {
    "barrier_free_stops": "barrier_free_stops:CONNECTOR",
    "bkg_boundaries": "bkg_boundaries:CONNECTOR",
    "census_grid": "census_grid:CONNECTOR",
    "charging_register": "charging_register:CONNECTOR",
    "eco_counter_csv": "eco_counter:READINGS",
    "eco_counter_sites": "eco_counter:SITES",
    "genesis_ffcsv": "genesis_ffcsv:CONNECTOR",
    "gtfs": "gtfs:CONNECTOR",
    "gtfs_realtime": "gtfs_realtime:CONNECTOR",
    "localzero_renewable_energy": "localzero_renewable_energy:CONNECTOR",
    "mastr_export": "mastr:CONNECTOR",
    "municipality_directory": "municipality_directory:CONNECTOR",
    "schools_nrw": "schools_nrw:CONNECTOR",
}
