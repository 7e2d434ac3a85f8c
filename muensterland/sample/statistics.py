"""Further GENESIS tables of the sample: codes, units, marks and times of the real tables, every figure invented.

A figure is so many per inhabitant times the shares of the line's attributes, a little more or less from area to area;
the shares of a variable's parts add up to that of its total.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from muensterland.sample.geography import BY_AGS, KREIS_NAMES, REGION, population
from muensterland.sample.packing import dice


class Part(NamedTuple):
    """An attribute of a classifying variable; share: of the total, from 0 to 1."""

    code: str
    label: str
    share: float


class Variable(NamedTuple):
    """A classifying variable."""

    code: str
    label: str
    parts: tuple[Part, ...]


class Measure(NamedTuple):
    """What is counted: so much per inhabitant, or the same everywhere; `is_total` where no variable splits it."""

    code: str
    label: str
    unit: str
    each: float = 0.0
    everywhere: float = 0.0
    decimals: int = 0
    is_total: bool = False


@dataclass(frozen=True)
class Table:
    """A table of a GENESIS host. level: the variable of its areas; has_quality: whether it says how good values are."""

    host: str
    code: str
    title: str
    statistic: tuple[str, str]
    time: tuple[str, str, str]
    period: tuple[str, str]
    level: tuple[str, str]
    variables: tuple[Variable, ...]
    measures: tuple[Measure, ...]
    has_quality: bool = False

    def lines(self) -> Iterator[list[str]]:
        """The lines below the header."""
        roll = dice(f"statistic {self.code}")
        for number, (key, label, inhabitants) in enumerate(areas(self.level[0])):
            local = 0.9 + 0.2 * roll.random()
            for measure in self.measures:
                for parts in self._classes(measure):
                    share = 1.0
                    for part in parts:
                        share *= part.share if part else 1.0
                    amount = (measure.everywhere or measure.each * inhabitants) * share
                    amount *= 1 if measure.unit == "%" else local
                    fields = [
                        text
                        for variable, part in zip(self.variables, parts, strict=True)
                        for text in ((*variable[:2], *part[:2]) if part else ("", "", "", ""))
                    ]
                    yield [
                        *(*self.statistic, *self.time, *self.level, key, label, *fields),
                        *_value(amount, measure, number, self.has_quality),
                    ]

    def _classes(self, measure: Measure) -> Iterator[tuple[Part | None, ...]]:
        if measure.is_total:
            return iter([tuple(None for _ in self.variables)])
        return itertools.product(*(variable.parts for variable in self.variables))


def areas(level: str) -> list[tuple[str, str, int]]:
    """Key, label and inhabitants of the areas of a level, some outside the region."""
    if level == "KREISE":
        sums = dict.fromkeys(KREIS_NAMES, 0)
        for place in BY_AGS.values():
            sums[place.kreis] = sums.get(place.kreis, 0) + sum(population(place.ags))
        return [(key, f"{name}, Kreis", sums[key]) for key, name in KREIS_NAMES.items()]
    by_ars = level.startswith("GEO")
    return [(place.ars if by_ars else place.ags, place.name, sum(population(place.ags))) for place in REGION]


def _value(amount: float, measure: Measure, area: int, has_quality: bool) -> list[str]:
    """Value, unit and measure, with the marks that a table has where a cell is small or its area did not report."""
    factor = 1_000 if measure.unit.startswith(("1000", "Tsd.")) else 1
    number = round(amount / factor, measure.decimals)
    text = f"{number:.{measure.decimals}f}".replace(".", ",")
    quality = "e"
    if number == 0:
        text, quality = "-", ""
    elif has_quality and amount < 12_000:
        text, quality = ("/", "") if amount < 8_000 else (text, "()")
    elif measure.is_total and area == 4:
        text, quality = ".", ""
    told = [text, measure.unit, measure.code, measure.label]
    return [*told, quality] if has_quality else told


NRW = "www.landesdatenbank.nrw.de/ldbnrwws/rest/2020"
REGIONAL, DESTATIS = "www.regionalstatistik.de/genesisws/rest/2020", "www-genesis.destatis.de/genesisWS/rest/2020"
ZENSUS = "ergebnisse.zensus2022.de/api/rest/2020"
KREISE = ("KREISE", "Kreise und kreisfreie Städte")
GEMEINDEN = ("GEOGM4", "Gemeinden (Gebietsstand 15.05.2022)")
CENSUS_DAY = ("STAG", "Stichtag", "2022-05-15")
CENSUS_PERIOD = ("15.05.2022", "15.05.2022")
MUNICIPALITIES = ("GEMEIN", "Gemeinden")
MEN, WOMEN = Part("GESM", "männlich", 0.49), Part("GESW", "weiblich", 0.51)
TOTAL = Part("", "Insgesamt", 1.0)


def _ratio(code: str, label: str, everywhere: float, unit: str = "Anzahl") -> Measure:
    """A figure of the Regionalatlas, with one decimal; one area's is not known."""
    return Measure(code, label, unit, everywhere=everywhere, decimals=1, is_total=True)


TABLES = (
    Table(
        REGIONAL,
        "11111-02-01-4",
        "Zahl der Gemeinden",
        ("11111", "Feststellung des Gebietsstandes"),
        ("STAG", "Stichtag", "2025-12-31"),
        ("31.12.2008", "31.12.2025"),
        KREISE,
        (),
        (Measure("GEM001", "Zahl der Gemeinden", "Anzahl", everywhere=14),),
    ),
    Table(
        REGIONAL,
        "12211-Z-11",
        "Lebensformen nach Art",
        ("12211", "Grundprogramm des Mikrozensus"),
        ("JAHR", "Jahr", "2019"),
        ("2005", "2019"),
        KREISE,
        (
            Variable(
                "LBFORM01",
                "Art der Lebensform",
                (
                    Part("LB-INS", "Insgesamt", 1.0),
                    Part("ALLEINST", "Alleinstehende", 0.4),
                    Part("PAAROK", "Paargemeinschaften ohne Kinder", 0.3),
                    Part("FAMILIEN", "Familien mit Kind(ern)", 0.3),
                ),
            ),
        ),
        (Measure("LBFMZ01", "Lebensformen", "1000", each=0.5),),
        has_quality=True,
    ),
    Table(
        REGIONAL,
        "13111-01-03-4",
        "Beschäftigte am Arbeitsort nach Geschlecht und Nationalität",
        ("13111", "Statistik der sozialversicherungspflichtig Beschäftigten"),
        ("STAG", "Stichtag", "2026-06-30"),
        ("30.06.2008", "30.06.2026"),
        KREISE,
        (
            Variable("NAT", "Nationalität", (TOTAL, Part("NATA", "ausländisch", 0.12))),
            Variable("GES", "Geschlecht", (TOTAL, MEN, WOMEN)),
        ),
        (Measure("ERW032", "Sozialversicherungspfl. Beschäftigte (Arbeitsort)", "Anzahl", each=0.42),),
    ),
    Table(
        REGIONAL,
        "21311-01-01-4-B",
        "Studierende nach Geschlecht, Nationalität und Fächergruppe",
        ("21311", "Statistik der Studierenden"),
        ("SEMEST", "Semester", "2025-10P6M"),
        ("WS 1998/99", "WS 2025/26"),
        KREISE,
        (
            Variable("GESINS", "Geschlecht", (Part("INSGESAMT", "Insgesamt", 1.0), MEN, WOMEN)),
            Variable(
                "NAT01",
                "Nationalität (inkl. insgesamt)",
                (
                    Part("INSGESAMT", "Insgesamt", 1.0),
                    Part("NATD", "deutsch", 0.9),
                    Part("NATA", "ausländisch", 0.1),
                ),
            ),
            Variable(
                "HS-FG2",
                "Fächergruppe (mit Insgesamt)",
                (
                    Part("INSGESAMT", "Insgesamt", 1.0),
                    Part("HS-FG02", "Sport", 0.05),
                    Part("HS-FG04", "Mathematik/Naturwissenschaften", 0.95),
                ),
            ),
        ),
        (Measure("HS-W02", "Studierende (im Kreisgebiet)", "Anzahl", each=0.04),),
    ),
    Table(
        REGIONAL,
        "32121-01-02-4",
        "Aufkommen an Haushaltsabfällen nach Abfallarten",
        ("32121", "Erhebung der öffentlich-rechtlichen Abfallentsorgung"),
        ("JAHR", "Jahr", "2024"),
        ("2004", "2024"),
        KREISE,
        (
            Variable(
                "ABFA01",
                "Abfallarten von Haushaltsabfällen",
                (
                    TOTAL,
                    Part("ABFALLART100", "Haus- und Sperrmüll", 0.4),
                    Part("ABFALLART200", "Getrennt erfasste organische Abfälle", 0.3),
                    Part("ABFALLART300", "Getrennt erfasste Wertstoffe", 0.3),
                ),
            ),
        ),
        (Measure("AEW009", "Aufkommen an Haushaltsabfällen (oh.Elektroaltger.)", "t", each=0.5),),
    ),
    Table(
        REGIONAL,
        "41312-01-01-4",
        "Rinder nach Tierarten",
        ("41312", "Erhebung über die Rinderbestände"),
        ("STAG", "Stichtag", "2025-11-03"),
        ("03.05.2008", "03.11.2025"),
        KREISE,
        (
            Variable(
                "TIEA05",
                "Tierarten",
                (Part("AGRVART01", "Rinder insgesamt", 1.0), Part("TIERART20412M", "Männliche Rinder 1-2 J.", 0.2)),
            ),
        ),
        (Measure("TIE003", "Tiere", "Anzahl", each=0.4),),
    ),
    Table(
        REGIONAL,
        "52411-02-01-4",
        "Beantragte Insolvenzverfahren von Unternehmen",
        ("52411", "Statistik über beantragte Insolvenzverfahren"),
        ("JAHR", "Jahr", "2025"),
        ("2007", "2025"),
        KREISE,
        (
            Variable(
                "ISVAT3",
                "Beantragte Verfahren",
                (TOTAL, Part("ISVART01", "eröffnet", 0.7), Part("ISVART02", "mangels Masse abgewiesen", 0.3)),
            ),
        ),
        (
            Measure("ISV006", "Beantragte Insolvenzverfahren (Unternehmen)", "Anzahl", each=0.0003),
            Measure("ISVNW1", "Arbeitnehmer/-innen", "Anzahl", each=0.002, is_total=True),
            Measure("FOR002", "voraussichtliche Forderungen (Unternehmen)", "Tsd. EUR", each=300, is_total=True),
        ),
    ),
    Table(
        REGIONAL,
        "61511-01-03-4",
        "Kaufwerte für Bauland",
        ("61511", "Kaufwerte für Bauland"),
        ("JAHR", "Jahr", "2025"),
        ("1995", "2025"),
        KREISE,
        (Variable("BAUNW2", "Baulandverkäufe", (TOTAL, Part("BAUNW101", "baureifes Land", 0.8))),),
        (
            Measure("BAU001", "Veräußerungsfälle von Bauland", "Anzahl", each=0.001),
            Measure("BAU002", "Veräußerte Baulandfläche", "1000 qm", each=0.9),
            Measure("BAU003", "Kaufsumme", "Tsd. EUR", each=160),
            Measure("BAU004", "Durchschnittlicher Kaufwert je qm", "EUR", everywhere=180, decimals=2),
        ),
    ),
    Table(
        REGIONAL,
        "AI-N-01-2-5",
        "Siedlungs- und Verkehrsfläche",
        ("99910", "Regionalatlas Deutschland"),
        ("JAHR", "Jahr", "2024"),
        ("2011", "2024"),
        ("GEMEIN", "Gemeinden"),
        (),
        (
            Measure("AI0111", "Anteil Siedlungs- und Verkehrsfläche an Gesamtfläche", "Prozent", 0, 20, 1),
            Measure("AI0112", "Veränderung der Siedlungs- und Verkehrsfläche", "Prozent", 0, 0.4, 1),
        ),
    ),
    Table(
        DESTATIS,
        "12531-0043",
        "Schutzsuchende",
        ("12531", "Statistik über Schutzsuchende"),
        ("STAG", "Stichtag", "2025-12-31"),
        ("31.12.2007", "31.12.2025"),
        ("KREISE", "Kreise"),
        (
            Variable("SCHST2", "Schutzstatuskategorie", (Part("SCHUTZST-X", "Ohne Schutzsstatus", 1.0),)),
            Variable("GES", "Geschlecht", (MEN, WOMEN)),
            Variable("STAAG5", "Staatsangehörigkeit", (Part("ST238", "Ghana", 0.3), Part("ST273", "Somalia", 0.7))),
        ),
        (Measure("BEV030", "Schutzsuchende", "Anzahl", each=0.03),),
    ),
    Table(
        NRW,
        "12411-01i",
        "Bevölkerungsstand nach Geschlecht",
        ("12411", "Fortschreibung des Bevölkerungsstandes"),
        ("STAG", "Stichtag", "2025-12-31"),
        ("31.12.1975", "31.12.2025"),
        ("GEMEIN", "Gemeinden"),
        (Variable("GES", "Geschlecht", (TOTAL, MEN, WOMEN)),),
        (Measure("BEVSTD", "Bevölkerungsstand", "Anzahl", each=1),),
    ),
    Table(
        ZENSUS,
        "3000G-1008",
        "Gebäude: Energieträger der Heizung",
        ("3000G", "Gebäude (Gebietsstand 15.05.2022)"),
        CENSUS_DAY,
        CENSUS_PERIOD,
        GEMEINDEN,
        (
            Variable(
                "GEBEN1",
                "Energieträger der Heizung",
                (
                    TOTAL,
                    Part("ENERG-GAS", "Gas", 0.7),
                    Part("ENERG-HOLZP", "Holz, Holzpellets", 0.1),
                    Part("ENERG-SOLARGEO", "Solar-/Geothermie, Wärmepumpen", 0.2),
                ),
            ),
        ),
        # The same variable is told twice, by number and by share.
        (
            Measure("GEB001", "Gebäude mit Wohnraum", "Anzahl", each=0.25),
            Measure("GEB001", "Gebäude mit Wohnraum", "%", everywhere=100),
        ),
    ),
    Table(
        ZENSUS,
        "4000W-2030",
        "Wohnungen: Miete der Wohnung",
        ("4000W", "Wohnungen (Gebietsstand 15.05.2022)"),
        CENSUS_DAY,
        CENSUS_PERIOD,
        GEMEINDEN,
        (
            Variable(
                "WHGMT1",
                "Miete der Wohnung (100 €-Schritte)",
                (
                    TOTAL,
                    Part("MIET0400B0499", "400 bis unter 500 €", 0.6),
                    Part("MIET0500B0599", "500 bis unter 600 €", 0.4),
                ),
            ),
        ),
        (Measure("WHG005", "Vermietete Wohnungen in Gebäuden mit Wohnraum", "Anzahl", each=0.2),),
    ),
    Table(
        ZENSUS,
        "4000W-2041",
        "Wohnungen: Dauer des Wohnungsleerstands",
        ("4000W", "Wohnungen (Gebietsstand 15.05.2022)"),
        CENSUS_DAY,
        CENSUS_PERIOD,
        GEMEINDEN,
        (
            Variable(
                "WHGLE1",
                "Dauer des Wohnungsleerstands",
                (
                    TOTAL,
                    Part("LEERDAU00B03", "Seit weniger als 3 Monaten", 0.5),
                    Part("LEERDAU06B12", "Seit 6 bis unter 12 Monaten", 0.5),
                ),
            ),
        ),
        (
            Measure("WHG006", "Leerstehende Wohnungen in Gebäuden mit Wohnraum", "Anzahl", each=0.02),
            Measure("WHG006", "Leerstehende Wohnungen in Gebäuden mit Wohnraum", "%", everywhere=100),
        ),
    ),
    # Ratios as the Regionalatlas publishes them, of Kreise or municipalities.
    *(
        Table(
            REGIONAL,
            code,
            measures[0].label,
            ("99910", "Regionalatlas Deutschland"),
            ("JAHR", "Jahr", "2023"),
            ("2010", "2023"),
            level,
            (),
            measures,
        )
        for code, level, measures in (
            ("AI003-3", KREISE, (_ratio("AI0306", "Betreuungsquote 0 bis 2 Jahre am 01.03.", 31, "Prozent"),)),
            ("AI004-1", KREISE, (_ratio("AI0401", "Gewerbeanmeldungen je 10.000 EW", 75),)),
            (
                "AI004-3",
                KREISE,
                (
                    _ratio("AI0405", "AB im Verarbeitenden Gewerbe je 1.000 EW im erwerbsfähigen Alter", 140),
                    _ratio("AI0409", "AB im Handel je 1.000 EW im erwerbsfähigen Alter", 95),
                    _ratio("AI0410", "AB in Verkehr und Lagerei je 1.000 EW im erwerbsfähigen Alter", 30),
                ),
            ),
            ("AI011-5", MUNICIPALITIES, (_ratio("AI1102", "Fertiggestellte Wohnungen je 1.000 EW", 4),)),
            ("AI012-5", MUNICIPALITIES, (_ratio("AI1202", "Übernachtungen je EW", 2),)),
            ("AI013-2", KREISE, (_ratio("AI1302", "Straßenverkehrsunfälle je 10.000 EW", 45),)),
            ("AI014-1", KREISE, (_ratio("AI1401", "Krankenhausbettendichte (Betten je 1.000 EW)", 6),)),
            (
                "AI014-2",
                KREISE,
                (
                    _ratio("AI1402", "Pflegebedürftige je 1.000 EW ab 65 Jahre", 190),
                    _ratio("AI1405", "Plätze in Pflegeheimen je 1.000 EW ab 65 Jahre", 48),
                ),
            ),
            ("AI015", KREISE, (_ratio("AI1501", "Beschäftigte im öffentlichen Bereich je 1.000 EW", 48),)),
            ("AI-N-02", KREISE, (_ratio("AI0904", "Ökologischer Landbau", 4, "Prozent"),)),
        )
    ),
)
