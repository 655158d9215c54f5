"""Regions and countries, the same at every scale and seed."""

from collections.abc import Iterator
from dataclasses import dataclass

from datamig_pipelines.sample.row import Row

REGIONS = (
    ("EMEA-N", "Northern Europe"),
    ("EMEA-W", "Western Europe"),
    ("EMEA-E", "Eastern Europe"),
    ("EMEA-S", "Middle East & Africa"),
    ("APAC", "Asia-Pacific"),
    ("AMER", "The Americas"),
)


@dataclass(frozen=True)
class Country:
    """A country and the names that people there have."""

    code: str
    region: str
    name: str
    native_name: str
    currency: str
    vat_rate: float
    pool: str


COUNTRIES = (
    Country("GB", "EMEA-N", "United Kingdom", "United Kingdom", "GBP", 0.2, "english"),
    Country("IE", "EMEA-N", "Ireland", "Éire", "EUR", 0.23, "english"),
    Country("SE", "EMEA-N", "Sweden", "Sverige", "SEK", 0.25, "nordic"),
    Country("NO", "EMEA-N", "Norway", "Norge", "NOK", 0.25, "nordic"),
    Country("IS", "EMEA-N", "Iceland", "Ísland", "ISK", 0.24, "nordic"),
    Country("FI", "EMEA-N", "Finland", "Suomi", "EUR", 0.255, "nordic"),
    Country("DE", "EMEA-W", "Germany", "Deutschland", "EUR", 0.19, "german"),
    Country("AT", "EMEA-W", "Austria", "Österreich", "EUR", 0.2, "german"),
    Country("CH", "EMEA-W", "Switzerland", "Schweiz", "CHF", 0.081, "german"),
    Country("FR", "EMEA-W", "France", "France", "EUR", 0.2, "french"),
    Country("BE", "EMEA-W", "Belgium", "België / Belgique", "EUR", 0.21, "french"),
    Country("ES", "EMEA-W", "Spain", "España", "EUR", 0.21, "iberian"),
    Country("PT", "EMEA-W", "Portugal", "Portugal", "EUR", 0.23, "iberian"),
    Country("PL", "EMEA-E", "Poland", "Polska", "PLN", 0.23, "slavic"),
    Country("CZ", "EMEA-E", "Czechia", "Česko", "CZK", 0.21, "slavic"),
    Country("GR", "EMEA-E", "Greece", "Ελλάδα", "EUR", 0.24, "greek"),
    Country("BG", "EMEA-E", "Bulgaria", "България", "EUR", 0.2, "cyrillic"),
    Country("UA", "EMEA-E", "Ukraine", "Україна", "UAH", 0.2, "cyrillic"),
    Country("GE", "EMEA-E", "Georgia", "საქართველო", "GEL", 0.18, "caucasian"),
    Country("AM", "EMEA-E", "Armenia", "Հայաստան", "AMD", 0.2, "caucasian"),
    Country("TR", "EMEA-S", "Türkiye", "Türkiye", "TRY", 0.2, "turkish"),
    Country("EG", "EMEA-S", "Egypt", "مصر", "EGP", 0.14, "arabic"),
    Country("LB", "EMEA-S", "Lebanon", "لبنان", "LBP", 0.11, "arabic"),
    Country("IL", "EMEA-S", "Israel", "ישראל", "ILS", 0.18, "hebrew"),
    Country("ET", "EMEA-S", "Ethiopia", "ኢትዮጵያ", "ETB", 0.15, "ethiopic"),
    Country("CI", "EMEA-S", "Côte d'Ivoire", "Côte d'Ivoire", "XOF", 0.18, "french"),
    Country("IN", "APAC", "India", "भारत", "INR", 0.18, "indic"),
    Country("TH", "APAC", "Thailand", "ประเทศไทย", "THB", 0.07, "thai"),
    Country("VN", "APAC", "Vietnam", "Việt Nam", "VND", 0.1, "vietnamese"),
    Country("CN", "APAC", "China", "中国", "CNY", 0.13, "chinese"),
    Country("TW", "APAC", "Taiwan", "臺灣", "TWD", 0.05, "chinese"),
    Country("JP", "APAC", "Japan", "日本", "JPY", 0.1, "japanese"),
    Country("KR", "APAC", "South Korea", "대한민국", "KRW", 0.1, "korean"),
    Country("NZ", "APAC", "New Zealand", "Aotearoa", "NZD", 0.15, "english"),
    Country("US", "AMER", "United States", "United States", "USD", 0.0, "english"),
    Country("CA", "AMER", "Canada", "Canada", "CAD", 0.1498, "english"),
    Country("MX", "AMER", "Mexico", "México", "MXN", 0.16, "combining"),
    Country("BR", "AMER", "Brazil", "Brasil", "BRL", 0.17, "iberian"),
    Country("CO", "AMER", "Colombia", "Colombia", "COP", 0.19, "iberian"),
    Country("PY", "AMER", "Paraguay", "Paraguái", "PYG", 0.1, "iberian"),
)


def region_rows(_: object) -> Iterator[Row]:
    """Yield the rows of `regions`."""
    for number, (code, name) in enumerate(REGIONS, 1):
        yield number, code, name


def country_rows(_: object) -> Iterator[Row]:
    """Yield the rows of `countries`."""
    numbers = {code: number for number, (code, _) in enumerate(REGIONS, 1)}
    for land in COUNTRIES:
        region_id = numbers[land.region]
        yield land.code, region_id, land.name, land.native_name, land.currency, land.vat_rate
