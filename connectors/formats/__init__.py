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
    "count_site_table": "count_site_table:CONNECTOR",
    "count_table": "count_table:CONNECTOR",
    "eco_counter_sites": "eco_counter:CONNECTOR",
    "eco_visio": "eco_visio:READINGS",
    "eco_visio_sites": "eco_visio:SITES",
    "genesis_ffcsv": "genesis_ffcsv:CONNECTOR",
    "gtfs": "gtfs:CONNECTOR",
    "gtfs_realtime": "gtfs_realtime:CONNECTOR",
    "mastr_export": "mastr:CONNECTOR",
    "monitor_workbook": "monitor_register:WORKBOOK",
    "monitor_yaml": "monitor_register:YAML",
    "municipality_directory": "municipality_directory:CONNECTOR",
    "parking_table": "parking_table:CONNECTOR",
    "schools_nrw": "schools_nrw:CONNECTOR",
    "statistic_table": "statistic_table:CONNECTOR",
    "uba_air_quality_csv": "uba_air_quality:CSV",
    "uba_air_quality_json": "uba_air_quality:JSON",
}
