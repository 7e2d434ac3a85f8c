"""What the full export of the Marktstammdatenregister (MaStR) holds: per table its tags, English names, types, units.

The one place where the register's German terms become columns. Sources: marktstammdatenregister-dev/mastr `spec/`
(files, elements, keys), open-MaStR's data package (fields, units), the register's own documentation of the export.
Tags are written as `Mastr` throughout: the register spells `EegMaStRNummer` and `EegMastrNummer` by turns.

What tells of persons is declared in NOT_STAGED and never leaves the parser: names, addresses, telephones, meters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

import pyarrow as pa

Kind = Literal["code", "label", "id", "status", "number", "degrees", "date", "instant", "flag"]

ARROW: dict[Kind, pa.DataType] = {
    "code": pa.string(),
    "label": pa.string(),
    "id": pa.int32(),
    "status": pa.int32(),
    "number": pa.float64(),
    "degrees": pa.float64(),
    "date": pa.date32(),
    "instant": pa.timestamp("us"),
    "flag": pa.bool_(),
}


@dataclass(frozen=True)
class Field:
    """A column: its tag (others that are the register's own misspellings), English name, how to read it, its unit.

    kind `id` is a catalogue id, resolved by `energy_catalogue_value`. need: `required` rejects the record where it is
    blank, `filled` is told as missing where the whole file has none.
    """

    tag: str
    column: str
    kind: Kind
    unit: str | None = None
    need: Literal["required", "filled", "may"] = "may"
    misspelt: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that may carry it; the first that is filled counts."""
        return (self.tag, *self.misspelt)


@dataclass(frozen=True)
class Family:
    """A family of export files: the root element names the files, and holds one element per record.

    table: the staged table. constants: columns that are the same in every record. scope: which records are of the
    region: by the municipality key in the record, by a reference (a tag and the set of numbers it must meet), or all.
    gives: columns whose values, of the records kept, are what other families refer to.
    """

    root: str
    record: str
    table: str
    fields: tuple[Field, ...]
    constants: dict[str, str] = field(default_factory=dict)
    scope: Literal["key", "all"] | tuple[str, str] = "key"
    gives: tuple[tuple[str, str], ...] = ()
    is_required: bool = False

    def members(self, names: list[str]) -> list[str]:
        """The family's file names, numbered parts in the order of their numbers."""
        parts = [re.fullmatch(rf"{self.root}(?:_([0-9]+))?\.xml", name) for name in names]
        return [part[0] for part in sorted(filter(None, parts), key=lambda part: int(part[1] or 0))]


def schema(fields: tuple[Field, ...], **more: pa.DataType) -> pa.Schema:
    """The Arrow columns of fields, those of `more` first."""
    return pa.schema([*more.items(), *((declared.column, ARROW[declared.kind]) for declared in fields)])


# The register's own spellings that are wrong (marktstammdatenregister-dev/feler).
_UPDATED = Field("DatumLetzteAktualisierung", "updated_at", "instant", "local", "filled", ("DatumLetzeAktualisierung",))
_REGISTERED = Field("Registrierungsdatum", "registered_date", "date", need="filled")
_LINKED = Field("VerknuepfteEinheitenMastrNummern", "unit_ids", "code")

# -- units ------------------------------------------------------------------------------------------------------------

# EinheitBetriebsstatus: 31 planned, 35 in operation, 37 temporarily shut, 38 finally shut.
PLANNED = 31
STATUSES = (PLANNED, 35, 37, 38)

_COMMON = (
    Field("EinheitMastrNummer", "unit_id", "code", need="required"),
    _UPDATED,
    Field("EinheitBetriebsstatus", "status_id", "status", need="required"),
    Field("EinheitSystemstatus", "system_status_id", "id"),
    Field("Gemeindeschluessel", "ags", "code"),
    Field("Postleitzahl", "postal_code", "code"),
    Field("Bundesland", "state_id", "id"),
    Field("Land", "country_id", "id"),
    Field("Laengengrad", "longitude", "degrees", "degrees"),
    Field("Breitengrad", "latitude", "degrees", "degrees"),
    _REGISTERED,
    Field("Inbetriebnahmedatum", "commissioned_date", "date"),
    Field("GeplantesInbetriebnahmedatum", "planned_date", "date"),
    Field("DatumBeginnVoruebergehendeStilllegung", "temporarily_shut_date", "date"),
    Field("DatumWiederaufnahmeBetrieb", "resumed_date", "date"),
    Field("DatumEndgueltigeStilllegung", "shut_date", "date"),
    Field("LokationMastrNummer", "location_id", "code"),
    Field("AnlagenbetreiberMastrNummer", "operator_id", "code"),
    Field("DatumDesBetreiberwechsels", "operator_changed_date", "date"),
    Field("DatumRegistrierungDesBetreiberwechsels", "operator_change_registered_date", "date"),
    Field("NetzbetreiberpruefungStatus", "grid_operator_check_id", "id"),
    Field("NetzbetreiberpruefungDatum", "grid_operator_check_date", "date"),
    Field("BestandsanlageMastrNummer", "former_unit_id", "code"),
    Field("GenMastrNummer", "permit_id", "code"),
)
_POWER = (
    Field("Energietraeger", "energy_carrier_id", "id", need="filled"),
    Field("Bruttoleistung", "gross_capacity_kw", "number", "kW", "required"),
    Field("Nettonennleistung", "net_capacity_kw", "number", "kW", "filled"),
    Field("NettonennleistungDeutschland", "net_capacity_germany_kw", "number", "kW"),
    Field("Einspeisungsart", "feed_in_type_id", "id"),
    Field("AnschlussAnHoechstOderHochSpannung", "is_high_voltage", "flag"),
    Field("Schwarzstartfaehigkeit", "can_black_start", "flag"),
    Field("Inselbetriebsfaehigkeit", "can_run_as_island", "flag"),
    Field("FernsteuerbarkeitNb", "is_controlled_by_grid_operator", "flag"),
    Field("FernsteuerbarkeitDv", "is_controlled_by_marketer", "flag"),
    Field("PraequalifiziertFuerRegelenergie", "is_prequalified_for_balancing", "flag"),
    Field("Kraftwerksnummer", "power_plant_number", "code"),
    Field("Weic", "eic", "code"),
    Field("BestandteilGrenzkraftwerk", "is_part_of_border_plant", "flag"),
)
_EEG = Field("EegMastrNummer", "eeg_plant_id", "code")
_CHP = Field("KwkMastrNummer", "chp_plant_id", "code")
_TECHNOLOGY = Field("Technologie", "technology_id", "id")
_INVERTER = Field(
    "ZugeordneteWirkleistungWechselrichter",
    "inverter_capacity_kw",
    "number",
    "kW",
    misspelt=("ZugeordnenteWirkleistungWechselrichter",),
)
# Lage once came empty through a whole release.
_SITING = Field("Lage", "siting_id", "id", need="filled")
_CITIZENS = Field("Buergerenergie", "is_citizen_energy", "flag")
_EMERGENCY = Field("Notstromaggregat", "is_emergency_generator", "flag")
_PLACE_OF_USE = Field("Einsatzort", "place_of_use_id", "id")
_MAIN_FUEL = Field("Hauptbrennstoff", "main_fuel_id", "id")

_SOLAR = (
    _SITING,
    Field("ArtDerSolaranlage", "solar_plant_type_id", "id"),
    _INVERTER,
    Field("GemeinsamerWechselrichterMitSpeicher", "shared_inverter_id", "id"),
    Field("SpeicherAmGleichenOrt", "storage_at_same_place_id", "id"),
    Field("AnzahlModule", "modules", "id", "modules"),
    Field("Leistungsbegrenzung", "power_limit_id", "id"),
    Field("EinheitlicheAusrichtungUndNeigungswinkel", "is_uniformly_oriented", "flag"),
    Field("Hauptausrichtung", "main_orientation_id", "id"),
    Field("HauptausrichtungNeigungswinkel", "main_tilt_id", "id"),
    Field("Nebenausrichtung", "secondary_orientation_id", "id"),
    Field("NebenausrichtungNeigungswinkel", "secondary_tilt_id", "id"),
    Field("InAnspruchGenommeneFlaeche", "land_ha", "number", "ha"),
    Field("InAnspruchGenommeneLandwirtschaftlichGenutzteFlaeche", "farmland_ha", "number", "ha"),
    Field("ArtDerFlaecheIds", "land_type_ids", "code"),
    Field("Nutzungsbereich", "usage_id", "id"),
    _CITIZENS,
    _EEG,
)
_WIND = (
    _SITING,
    Field("WindAnLandOderAufSee", "onshore_or_offshore_id", "id"),
    Field("Seelage", "sea_id", "id"),
    Field("ClusterNordsee", "north_sea_cluster_id", "id"),
    Field("ClusterOstsee", "baltic_sea_cluster_id", "id"),
    Field("Hersteller", "manufacturer_id", "id"),
    _TECHNOLOGY,
    Field("Typenbezeichnung", "model", "label"),
    Field("Nabenhoehe", "hub_height_m", "number", "m"),
    Field("Rotordurchmesser", "rotor_diameter_m", "number", "m"),
    Field("Rotorblattenteisungssystem", "has_blade_deicing", "flag"),
    Field("AuflageAbschaltungLeistungsbegrenzung", "is_restricted", "flag"),
    Field("AuflagenAbschaltungSchallimmissionsschutzNachts", "is_restricted_for_noise_at_night", "flag"),
    Field("AuflagenAbschaltungSchallimmissionsschutzTagsueber", "is_restricted_for_noise_by_day", "flag"),
    Field("AuflagenAbschaltungSchattenwurf", "is_restricted_for_shadow", "flag"),
    Field("AuflagenAbschaltungTierschutz", "is_restricted_for_animals", "flag"),
    Field("AuflagenAbschaltungEiswurf", "is_restricted_for_ice", "flag"),
    Field("AuflagenAbschaltungSonstige", "is_restricted_otherwise", "flag"),
    Field("Wassertiefe", "water_depth_m", "number", "m"),
    Field("Kuestenentfernung", "coast_distance_km", "number", "km"),
    Field("Nachtkennzeichen", "has_night_marking", "flag", misspelt=("Nachtkennzeichnung",)),
    _CITIZENS,
    _EEG,
)
_BIOMASS = (_MAIN_FUEL, Field("Biomasseart", "biomass_type_id", "id"), _TECHNOLOGY, _EEG, _CHP)
_HYDRO = (
    Field("ArtDerWasserkraftanlage", "hydro_plant_type_id", "id"),
    Field("ArtDesZuflusses", "inflow_type_id", "id"),
    Field("MinderungStromerzeugung", "is_generation_reduced", "flag"),
    _EEG,
)
_COMBUSTION = (
    _MAIN_FUEL,
    Field("WeitererHauptbrennstoff", "other_main_fuel_id", "id"),
    Field("WeitereBrennstoffe", "other_fuel_ids", "code"),
    _TECHNOLOGY,
    Field("DatumBaubeginn", "construction_began_date", "date"),
    Field("AnzeigeEinerStilllegung", "is_shutdown_announced", "flag"),
    Field("ArtDerStilllegung", "shutdown_type_id", "id"),
    Field("DatumBeginnVorlaeufigenOderEndgueltigenStilllegung", "announced_shutdown_date", "date"),
    Field("AnlageIstImKombibetrieb", "is_in_combined_operation", "flag"),
    Field("SteigerungNettonennleistungKombibetrieb", "combined_operation_gain_kw", "number", "kW"),
    Field("NetzreserveAbDatum", "grid_reserve_from_date", "date"),
    Field("SicherheitsbereitschaftAbDatum", "security_standby_from_date", "date"),
    _EMERGENCY,
    _PLACE_OF_USE,
    _CHP,
)
_GEOTHERMAL = (_TECHNOLOGY, _EEG, _CHP)
_NUCLEAR = (_TECHNOLOGY,)
_STORAGE = (
    Field("SpeMastrNummer", "storage_plant_id", "code"),
    _TECHNOLOGY,
    Field("AcDcKoppelung", "ac_dc_coupling_id", "id"),
    Field("Batterietechnologie", "battery_technology_id", "id"),
    Field("Pumpspeichertechnologie", "pumped_storage_technology_id", "id"),
    Field("PumpbetriebLeistungsaufnahme", "pumping_intake_kw", "number", "kW"),
    Field("PumpbetriebKontinuierlichRegelbar", "is_pumping_continuously_controlled", "flag"),
    Field("LeistungsaufnahmeBeimEinspeichern", "charging_intake_kw", "number", "kW"),
    _INVERTER,
    Field("EegAnlagentyp", "eeg_plant_type_id", "id"),
    _EMERGENCY,
    _PLACE_OF_USE,
    _EEG,
)
_GAS_PRODUCER = (_TECHNOLOGY, Field("Erzeugungsleistung", "gas_production_kw", "number", "kW"))
_GAS_CONSUMER = (
    Field("MaximaleGasbezugsleistung", "gas_intake_kw", "number", "kW"),
    Field("EinheitDientDerStromerzeugung", "is_for_power_generation", "flag"),
    Field("VerknuepfteEinheitenMastrNummern", "linked_unit_ids", "code"),
)
# The units of a gas store's figures are not told in the material at hand: as published.
_GAS_STORAGE = (
    Field("Speicherart", "gas_storage_type_id", "id"),
    Field("SpeicherMastrNummer", "gas_storage_plant_id", "code"),
    Field("MaximalNutzbaresArbeitsgasvolumen", "working_gas_volume", "number", "as published"),
    Field("MaximaleEinspeicherleistung", "gas_injection_rate", "number", "as published"),
    Field("MaximaleAusspeicherleistung", "gas_withdrawal_rate", "number", "as published"),
    Field("DurchschnittlicherBrennwert", "calorific_value", "number", "as published"),
)
_CONSUMER = (
    Field("AnzahlStromverbrauchseinheitenGroesser50Mw", "consumers_above_50_mw", "id", "units"),
    Field("PraequalifiziertGemaessAblav", "is_prequalified_as_interruptible", "flag"),
    Field("AnteilBeinflussbareLast", "influenceable_load_percent", "number", "%"),
    Field("ArtAbschaltbareLast", "interruptible_load_type_id", "id"),
    Field("TechnischesInbetriebnahmedatum", "technically_commissioned_date", "date"),
)

_NUMBERS = (
    ("unit", "unit_id"),
    ("location", "location_id"),
    ("actor", "operator_id"),
    ("eeg", "eeg_plant_id"),
)


def _units(root: str, record: str, technology: str, *fields: Field, is_required: bool = False) -> Family:
    return Family(
        root,
        record,
        "energy_unit",
        (*_COMMON, *fields),
        {"technology": technology},
        gives=tuple(given for given in _NUMBERS if given[1] in {declared.column for declared in (*_COMMON, *fields)}),
        is_required=is_required,
    )


# What generates power, stores it, uses it; gas beside it. Without the first four nothing can be said of a municipality.
UNITS = (
    _units("EinheitenSolar", "EinheitSolar", "solar", *_POWER, *_SOLAR, is_required=True),
    _units("EinheitenWind", "EinheitWind", "wind", *_POWER, *_WIND, is_required=True),
    _units("EinheitenBiomasse", "EinheitBiomasse", "biomass", *_POWER, *_BIOMASS, is_required=True),
    _units("EinheitenWasser", "EinheitWasser", "hydro", *_POWER, *_HYDRO, is_required=True),
    _units("EinheitenVerbrennung", "EinheitVerbrennung", "combustion", *_POWER, *_COMBUSTION),
    _units("EinheitenStromSpeicher", "EinheitStromSpeicher", "storage", *_POWER, *_STORAGE),
    _units(
        "EinheitenGeothermieGrubengasDruckentspannung",
        "EinheitGeothermieGrubengasDruckentspannung",
        "geothermal_and_other",
        *_POWER,
        *_GEOTHERMAL,
    ),
    # What the same family was called before 2023.
    _units(
        "EinheitenGeoSolarthermieGrubenKlaerschlammDruckentspannung",
        "EinheitGeoSolarthermieGrubenKlaerschlammDruckentspannung",
        "geothermal_and_other",
        *_POWER,
        *_GEOTHERMAL,
    ),
    _units("EinheitenKernkraft", "EinheitKernkraft", "nuclear", *_POWER, *_NUCLEAR),
    _units("EinheitenGasErzeuger", "EinheitGasErzeuger", "gas_producer", *_GAS_PRODUCER),
    _units("EinheitenGasverbraucher", "EinheitGasverbraucher", "gas_consumer", *_GAS_CONSUMER),
    _units("EinheitenGasSpeicher", "EinheitGasSpeicher", "gas_storage", *_GAS_STORAGE),
    _units("EinheitenStromVerbraucher", "EinheitStromVerbraucher", "electricity_consumer", *_CONSUMER),
)
TECHNOLOGIES = tuple(dict.fromkeys(family.constants["technology"] for family in UNITS))
# Each column once, in the order the families name them.
UNIT_FIELDS = tuple({declared.column: declared for family in UNITS for declared in family.fields}.values())

# -- plants, joined to units by their numbers -------------------------------------------------------------------------

_BY_UNIT = ("VerknuepfteEinheitenMastrNummern", "unit")
_PLANT_STATUS = Field("AnlageBetriebsstatus", "status_id", "id")
_EEG_PLANT = (
    Field("EegMastrNummer", "eeg_plant_id", "code", need="required"),
    _REGISTERED,
    _UPDATED,
    Field("EegInbetriebnahmedatum", "commissioned_date", "date"),
    _LINKED,
    Field("AnlagenschluesselEeg", "eeg_key", "code"),
)
_EEG_POWER = (
    Field("InstallierteLeistung", "installed_capacity_kw", "number", "kW"),
    _PLANT_STATUS,
    Field("AnlagenkennzifferAnlagenregister", "former_register_number", "code"),
)
_TENDER = (
    Field("AusschreibungZuschlag", "is_tendered", "flag"),
    Field("Zuschlagsnummer", "award_number", "code"),
)
_EEG_SOLAR = (
    Field("InanspruchnahmeZahlungNachEeg", "is_paid_by_eeg", "flag"),
    Field("RegistrierungsnummerPvMeldeportal", "former_portal_number", "code"),
    Field("MieterstromZugeordnet", "is_tenant_power", "flag"),
    Field("MieterstromErsteZuordnungZuschlag", "tenant_power_from_date", "date"),
    Field("ZugeordneteGebotsmenge", "awarded_kw", "number", "kW"),
)
_EEG_WIND = (
    Field("PrototypAnlage", "is_prototype", "flag"),
    Field("PilotAnlage", "is_pilot", "flag"),
    Field("VerhaeltnisErtragsschaetzungReferenzertrag", "estimated_yield_percent", "number", "%"),
    Field("VerhaeltnisReferenzertragErtrag5Jahre", "yield_5_years_percent", "number", "%"),
    Field("VerhaeltnisReferenzertragErtrag10Jahre", "yield_10_years_percent", "number", "%"),
    Field("VerhaeltnisReferenzertragErtrag15Jahre", "yield_15_years_percent", "number", "%"),
)
_EEG_BIOMASS = (
    Field("AusschliesslicheVerwendungBiomasse", "is_biomass_alone", "flag"),
    Field("BiogasInanspruchnahmeFlexiPraemie", "has_flexibility_premium", "flag"),
    Field("BiogasDatumInanspruchnahmeFlexiPraemie", "flexibility_premium_from_date", "date"),
    Field("BiogasLeistungserhoehung", "is_capacity_raised", "flag"),
    Field("BiogasDatumLeistungserhoehung", "capacity_raised_date", "date"),
    Field("BiogasUmfangLeistungserhoehung", "capacity_raised_by_kw", "number", "kW"),
    Field("BiogasGaserzeugungskapazitaet", "biogas_capacity", "number", "m³/h"),
    Field(
        "BiogasHoechstbemessungsleistung", "highest_rated_kw", "number", "kW", misspelt=("Hoechstbemessungsleistung",)
    ),
    Field("BiomethanErstmaligerEinsatz", "biomethane_from_date", "date"),
)
_EEG_HYDRO = (Field("ErtuechtigungIds", "retrofit_ids", "code"),)


def _eeg(root: str, record: str, technology: str, *fields: Field) -> Family:
    constants = {"technology": technology}
    return Family(root, record, "energy_eeg_plant", (*_EEG_PLANT, *fields), constants, scope=_BY_UNIT)


PLANTS = (
    _eeg("AnlagenEegSolar", "AnlageEegSolar", "solar", *_EEG_POWER, *_TENDER, *_EEG_SOLAR),
    _eeg("AnlagenEegWind", "AnlageEegWind", "wind", *_EEG_POWER, *_TENDER, *_EEG_WIND),
    _eeg("AnlagenEegBiomasse", "AnlageEegBiomasse", "biomass", *_EEG_POWER, *_TENDER, *_EEG_BIOMASS),
    _eeg("AnlagenEegWasser", "AnlageEegWasser", "hydro", *_EEG_POWER, *_EEG_HYDRO),
    _eeg("AnlagenEegSpeicher", "AnlageEegSpeicher", "storage", *_TENDER),
    _eeg(
        "AnlagenEegGeothermieGrubengasDruckentspannung",
        "AnlageEegGeothermieGrubengasDruckentspannung",
        "geothermal_and_other",
        *_EEG_POWER,
    ),
    _eeg(
        "AnlagenEegGeoSolarthermieGrubenKlaerschlammDruckentspannung",
        "AnlageEegGeoSolarthermieGrubenKlaerschlammDruckentspannung",
        "geothermal_and_other",
        *_EEG_POWER,
    ),
    Family(
        "AnlagenKwk",
        "AnlageKwk",
        "energy_chp_plant",
        (
            Field("KwkMastrNummer", "chp_plant_id", "code", need="required"),
            _REGISTERED,
            _UPDATED,
            Field("Inbetriebnahmedatum", "commissioned_date", "date"),
            Field("ThermischeNutzleistung", "thermal_capacity_kw", "number", "kW"),
            Field("ElektrischeKwkLeistung", "electric_capacity_kw", "number", "kW"),
            _PLANT_STATUS,
            Field("AusschreibungZuschlag", "is_tendered", "flag"),
            Field("Zuschlagnummer", "award_number", "code", misspelt=("Zuschlagsnummer",)),
            _LINKED,
        ),
        scope=_BY_UNIT,
    ),
    Family(
        "AnlagenStromSpeicher",
        "AnlageStromSpeicher",
        "energy_storage_plant",
        (
            Field("MastrNummer", "storage_plant_id", "code", need="required"),
            _REGISTERED,
            _UPDATED,
            Field("NutzbareSpeicherkapazitaet", "usable_capacity_kwh", "number", "kWh"),
            _PLANT_STATUS,
            _LINKED,
        ),
        scope=_BY_UNIT,
    ),
    Family(
        "AnlagenGasSpeicher",
        "AnlageGasSpeicher",
        "energy_gas_storage_plant",
        (
            Field("MastrNummer", "gas_storage_plant_id", "code", need="required"),
            _REGISTERED,
            _UPDATED,
            _PLANT_STATUS,
            _LINKED,
        ),
        scope=_BY_UNIT,
    ),
)

# -- permits, places, grids, actors -----------------------------------------------------------------------------------

# Personenart. Of natural persons nothing is kept but that a unit's operator is one.
ORGANISATION, PERSON = 517, 518
# Marktfunktion of operators of power and of gas grids (system catalogue of the register's documentation).
GRID_OPERATORS = (1, 8)
ACTORS = Family(
    "Marktakteure",
    "Marktakteur",
    "energy_market_actor",
    (
        Field("MastrNummer", "actor_id", "code", need="required"),
        _UPDATED,
        Field("Personenart", "person_type_id", "id", need="filled"),
        Field("Firmenname", "name", "label"),
        Field("Marktfunktion", "market_function_id", "id"),
        Field("Rechtsform", "legal_form_id", "id"),
        Field("Bundesland", "state_id", "id"),
        Field("HauptwirtdschaftszweigAbschnitt", "industry_section_id", "id"),
        Field("HauptwirtdschaftszweigAbteilung", "industry_division_id", "id"),
        Field("HauptwirtdschaftszweigGruppe", "industry_group_id", "id"),
        Field("Kmu", "is_small_or_medium", "flag"),
        Field("Taetigkeitsbeginn", "active_from_date", "date"),
        Field("Taetigkeitsende", "active_to_date", "date"),
    ),
    scope=("MastrNummer", "actor"),
)
REFERENCES = (
    Family(
        "EinheitenGenehmigung",
        "EinheitGenehmigung",
        "energy_permit",
        (
            Field("GenMastrNummer", "permit_id", "code", need="required"),
            _REGISTERED,
            _UPDATED,
            Field("Art", "permit_type_id", "id"),
            Field("Datum", "permit_date", "date"),
            Field("Frist", "deadline_date", "date"),
            Field("Behoerde", "authority", "label"),
            Field("WasserrechtAblaufdatum", "water_right_ends_date", "date"),
            _LINKED,
        ),
        scope=_BY_UNIT,
    ),
    Family(
        "Lokationen",
        "Lokation",
        "energy_location",
        (
            Field("MastrNummer", "location_id", "code", need="required"),
            _UPDATED,
            Field("Lokationtyp", "location_type", "label"),
            _LINKED,
            Field("NetzanschlusspunkteMastrNummern", "grid_connection_ids", "code"),
        ),
        scope=("MastrNummer", "location"),
    ),
    Family(
        "Ertuechtigungen",
        "Ertuechtigung",  # as the documentation says; the files call it as their root
        "energy_retrofit",
        (
            Field("Id", "retrofit_id", "id", need="required"),
            _UPDATED,
            Field("EegMastrNummer", "eeg_plant_id", "code"),
            Field("Ertuechtigungensart", "retrofit_type_id", "id", misspelt=("Ertuechtigungsart",)),
            Field("ErtuechtigungIstZulassungspflichtig", "needs_licence", "flag"),
            Field("Leistungserhoehung", "capacity_gain_percent", "number", "%"),
            Field("WiederinbetriebnahmeDatum", "recommissioned_date", "date"),
        ),
        scope=("EegMastrNummer", "eeg"),
    ),
    Family(
        "EinheitenAenderungNetzbetreiberzuordnungen",
        "EinheitAenderungNetzbetreiberzuordnung",
        "energy_grid_operator_change",
        (
            Field("EinheitMastrNummer", "unit_id", "code", need="required"),
            Field("LokationMastrNummer", "location_id", "code"),
            Field("NetzanschlusspunktMastrNummer", "grid_connection_id", "code"),
            Field("NetzbetreiberMastrNummerNeu", "new_grid_operator_id", "code"),
            Field("NetzbetreiberMastrNummerAlt", "former_grid_operator_id", "code"),
            Field("ArtDerAenderung", "change_type_id", "id"),
            Field("Netzbetreiberzuordnungsaenderungsdatum", "changed_date", "date"),
        ),
        scope=("EinheitMastrNummer", "unit"),
        gives=(("actor", "new_grid_operator_id"), ("actor", "former_grid_operator_id")),
    ),
)
CONNECTIONS = Family(
    "Netzanschlusspunkte",
    "Netzanschlusspunkt",
    "energy_grid_connection",
    (
        Field("NetzanschlusspunktMastrNummer", "grid_connection_id", "code", need="required"),
        Field("LetzteAenderung", "updated_at", "instant", "local"),
        Field("LokationMastrNummer", "location_id", "code"),
        Field("Lokationtyp", "location_type", "label"),
        Field("NetzMastrNummer", "grid_id", "code"),
        Field("Spannungsebene", "voltage_level_id", "id"),
        Field("BilanzierungsgebietNetzanschlusspunktId", "balancing_area_id", "id"),
        Field("RegelzoneNetzanschlusspunkt", "control_area_id", "id"),
        Field("Marktgebiet", "market_area_id", "id"),
        Field("Gasqualitaet", "gas_quality_id", "id"),
        Field("Netzanschlusskapazitaet", "connection_capacity_kw", "number", "kW"),
        Field("Nettoengpassleistung", "net_bottleneck_capacity_kw", "number", "kW"),
        Field("MaximaleEinspeiseleistung", "feed_in_capacity_kw", "number", "kW"),
        Field("MaximaleAusspeiseleistung", "feed_out_capacity_kw", "number", "kW"),
        Field("NochInPlanung", "is_planned", "flag"),
    ),
    scope=("LokationMastrNummer", "location"),
    gives=(("grid", "grid_id"), ("balancing_area", "balancing_area_id")),
)
GRIDS = (
    Family(
        "Netze",
        "Netz",
        "energy_grid",
        (
            Field("MastrNummer", "grid_id", "code", need="required"),
            _UPDATED,
            Field("Sparte", "branch_id", "id"),
            Field("Bezeichnung", "name", "label"),
            Field("KundenAngeschlossen", "has_customers", "label"),
            Field("GeschlossenesVerteilnetz", "is_closed", "label"),
            Field("Marktgebiet", "market_area_id", "id"),
            Field("Bundesland", "state_ids", "code"),
        ),
        scope=("MastrNummer", "grid"),
    ),
    Family(
        "Bilanzierungsgebiete",
        "Bilanzierungsgebiet",
        "energy_balancing_area",
        (
            Field("Id", "balancing_area_id", "id", need="required"),
            Field("Yeic", "eic", "code"),
            Field("BilanzierungsgebietNetzanschlusspunkt", "name", "label"),
            Field("RegelzoneNetzanschlusspunkt", "control_area_id", "id"),
        ),
        scope=("Id", "balancing_area"),
    ),
)

# -- what has no place: kept whole ------------------------------------------------------------------------------------

# A deleted unit no longer says where it stood: only a former export can tell.
REGISTER = (
    Family(
        "GeloeschteUndDeaktivierteEinheiten",
        "GeloeschteUndDeaktivierteEinheit",
        "energy_deleted_unit",
        (
            Field("EinheitMastrNummer", "unit_id", "code", need="required"),
            _UPDATED,
            Field("Einheittyp", "unit_type_id", "id"),
            Field("EinheitSystemstatus", "system_status_id", "id"),
            Field("EinheitBetriebsstatus", "status_id", "id"),
        ),
        scope="all",
    ),
    Family(
        "Katalogwerte",
        "Katalogwert",
        "energy_catalogue_value",
        (
            Field("Id", "catalogue_id", "id", need="required"),
            Field("Wert", "value", "label", need="required"),
            Field("KatalogKategorieId", "category_id", "id"),
        ),
        scope="all",
        is_required=True,
    ),
    Family(
        "Katalogkategorien",
        "Katalogkategorie",
        "energy_catalogue_category",
        (Field("Id", "category_id", "id", need="required"), Field("Name", "name", "label", need="required")),
        scope="all",
    ),
    Family(
        "Einheitentypen",
        "Einheitentyp",
        "energy_unit_type",
        (Field("Id", "unit_type_id", "id", need="required"), Field("Wert", "name", "label", need="required")),
        scope="all",
    ),
)

# Each stage refers to what the stages before it kept.
STAGES = ((*UNITS, *REGISTER), (*PLANTS, *REFERENCES), (CONNECTIONS, ACTORS), GRIDS)
FAMILIES = tuple(family for stage in STAGES for family in stage)
# Files that are known and left alone: what they say of market actors is of no use to a join, or of persons.
NOT_STAGED_FILES = frozenset({"Marktrollen", "MarktakteureUndRollen", "GeloeschteUndDeaktivierteMarktakteure"})

# Tags that are documented and not staged, many of them data on persons, their addresses and their meters.
NOT_STAGED = frozenset(
    re.findall(
        r"\w+",
        """
    Adresszusatz Aktenzeichen AltAnlagenbetreiberMastrNummer AltAnlagenbentreiberMastrNummer AnteiligNutzungsberechtigte
    AnlagenkennzifferAnlagenregister_nv ArtDerFlaeche AusschliesslicheVerwendungImKombibetrieb
    BiogasGaserzeugungskapazitaet_nv BiomethanErstmaligerEinsatz_nv DatumAntragstellung DatumDerAntragstellung
    DatumBeendigungVorlaeufigenStilllegung DatumUeberfuehrungInReserve Einheittyp Einsatzverantwortlicher
    FernsteuerbarkeitDr FlurFlurstuecknummern Flughoehe Flugradius Frist_nv Gemarkung Gemeinde
    GemeinsamRegistrierteSolareinheitMastrNummer Hausnummer Hausnummer_nv HausnummerNichtGefunden
    InAnspruchGenommeneAckerflaeche Kraftwerksnummer_nv Landkreis MastrNummernKombibetrieb Meldedatum Messlokation
    MieterstromMeldedatum MieterstromRegistrierungsdatum NameDerTechnischenLokation NameGasspeicher
    NameGaserzeugungseinheit NameGasverbrauchsseinheit NameKraftwerk NameKraftwerksblock NameStromerzeugungseinheit
    NameStromverbrauchseinheit NameWindpark NetzanschlusspunktBezeichnung NetzbetreiberMastrNummer
    Netzbetreiberzuordnungen NichtVorhandenInMigriertenEinheiten Ort RegistrierungsnummerPvMeldeportal_nv
    ReserveartNachDemEnWG Speichername Strasse StrasseNichtGefunden TechnologieFlugwindenergieanlage
    VerhaeltnisErtragsschaetzungReferenzertrag_nv VerhaeltnisReferenzertragErtrag5Jahre_nv
    VerhaeltnisReferenzertragErtrag10Jahre_nv VerhaeltnisReferenzertragErtrag15Jahre_nv VerknuepfteErzeugungseinheiten
    WasserrechtAblaufdatum_nv WasserrechtsNummer Weic_Na Weic_nv WeicDisplayName Zaehlernummer

    AcerCode AcerCode_nv AdresszusatzAnZustelladresse BelieferungHaushaltskundenGas BelieferungHaushaltskundenStrom
    BelieferungVonLetztverbrauchernGas BelieferungVonLetztverbrauchernStrom BundesnetzagenturBetriebsnummer
    BundesnetzagenturBetriebsnummer_nv Direktvermarktungsunternehmen Email EmailVMav Fax Fax_nv Gasgrosshaendler
    HausnummerAnZustelladresse HausnummerAnZustelladresse_nv Land LandAnZustelladresse MarktakteurNachname
    MarktakteurVorname Marktrollen Netz Nuts2 OrtAnZustelladresse Postleitzahl PostleitzahlAnZustelladresse Region
    Registergericht RegistergerichtAusland RegistergerichtAusland_nv Registergericht_nv Registernummer
    RegisternummerAusland RegisternummerAusland_nv RegisternummerPraefix Registernummer_nv
    RegistrierungsdatumMarktakteur SonstigeRechtsform StrasseAnZustelladresse Stromgrosshaendler Taetigkeitsende_nv
    Telefon TelefonnummerVMav Umsatzsteueridentifikationsnummer Umsatzsteueridentifikationsnummer_nv Webseite
    Webseite_nv WebportalDesNetzbetreibers
    """,
    )
)
KNOWN_TAGS = NOT_STAGED | {tag for family in FAMILIES for declared in family.fields for tag in declared.tags}
