# ruff: noqa: RUF001 - characters that look like others are the point
"""Names of people and places in many scripts."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Names:
    """Names that belong to one language or a few close ones."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]
    order: str = "{given} {family}"

    def person(self, rng: Random) -> str:
        """Draw the full name of a person."""
        return self.order.format(given=rng.choice(self.given), family=rng.choice(self.family))

    def street(self, rng: Random) -> str:
        """Draw a street with a house number."""
        return f"{rng.choice(self.streets)} {rng.randrange(1, 240)}"


def names(given: str, family: str, cities: str, streets: str, order: str = "") -> Names:
    """Make names from words: people split at spaces, cities and streets at commas."""
    return Names(
        tuple(given.split()),
        tuple(family.split()),
        tuple(cities.split(", ")),
        tuple(streets.split(", ")),
        order or "{given} {family}",
    )


EAST = "{family}{given}"
"""Family name first, no space between."""

POOLS: dict[str, Names] = {
    "english": names(
        "Alice Ben Chloe Daniel Ella Frank Grace Harry Ivy Jack",
        "Smith O'Brien Null Taylor-Jones McDonald Walker True Baker",
        "London, St. John's, Newcastle upon Tyne, Dublin, Springfield",
        "High Street, King's Road, Elm Avenue, Apt. #4, Station Rd.",
    ),
    "german": names(
        "Jürgen Käthe Lukas Björn Änne Uwe Sören Zoë",
        "Müller Weiß Größner Schäfer Strauß Öztürk Vogel",
        "Köln, München, Zürich, Düsseldorf, Gießen",
        "Große Straße, Am Mühlbach, Königsallee, Äußere Gasse",
    ),
    "french": names(
        "Élodie Noël François Anaïs Jérôme Zoé Benoît Maëlle",
        "Lefèvre D'Arcy Garçon Bœuf Crête Dupré Naïm",
        "Besançon, Orléans, L'Haÿ-les-Roses, Liège, Genève",
        "Rue de l'Église, Allée des Chênes, Boulevard Hôtel-Dieu",
    ),
    "iberian": names(
        "José Íñigo Begoña João Conceição Raúl Núria Ángel",
        "Muñoz Ibáñez Gonçalves Simões Peña Güell Araújo",
        "A Coruña, São Paulo, Córdoba, Bogotá, Málaga",
        "Calle del Niño, Avenida São João, Plaça d'Espanya",
    ),
    "nordic": names(
        "Åsa Øyvind Æsa Þór Søren Jónína Väinö Märta",
        "Ångström Ødegård Þórsdóttir Nygård Hämäläinen Sjöberg",
        "Tromsø, Malmö, Reykjavík, Århus, Jyväskylä",
        "Storgatan, Kongens gate, Mäkelänkatu, Åboulevarden",
    ),
    "slavic": names(
        "Łukasz Zdeněk Żaneta Šárka Đorđe Čeněk Małgorzata Jiří",
        "Wiśniewski Dvořák Żółć Kovačević Říha Gąsienica",
        "Łódź, Plzeň, Čačak, České Budějovice, Gdańsk",
        "ulica Świętojańska, Náměstí Míru, Železniční",
    ),
    "turkish": names(
        "Işıl İbrahim Gökçe Ayşe Çağla Ömer",
        "Yılmaz Şahin Iğdır Çelik Özgür Güneş",
        "İstanbul, Diyarbakır, Eskişehir, Muğla",
        "İstiklal Caddesi, Çiçek Sokağı",
    ),
    "vietnamese": names(
        "Ngọc Thảo Đức Hương Trường Quỳnh",
        "Nguyễn Trần Đặng Phạm Vũ",
        "Hà Nội, Đà Nẵng, Hồ Chí Minh",
        "Đường Lê Lợi, Phố Hàng Bạc",
        "{family} {given}",
    ),
    "greek": names(
        "Γιώργος Ελένη Δημήτρης Ζωή Ξένια",
        "Παπαδόπουλος Νικολάου Αγγελόπουλος",
        "Αθήνα, Θεσσαλονίκη, Πάτρα",
        "Οδός Ερμού, Λεωφόρος Αλεξάνδρας",
    ),
    "cyrillic": names(
        "Олена Георги Їжак Фёдор Ђорђе Щерба",
        "Шевченко Иванов Ґудзь Йорданова Чайка",
        "Київ, София, Бишкек, Љубовија",
        "вулиця Хрещатик, бульвар Витоша",
    ),
    "arabic": names(
        "محمد فاطمة يوسف ليلى عبدالله",
        "الأحمد حدّاد الخوري منصور",
        "القاهرة, بيروت, الدار البيضاء",
        "شارع النيل, طريق الملك فهد",
    ),
    "hebrew": names("נועה דוד שירה יצחק", "כהן לוי מזרחי", "תל אביב, חיפה", "רחוב הרצל"),
    "indic": names(
        "आरव প্রিয়া கார்த்திக் ज्ञानेश్వరి শ্রেয়া",
        "शर्मा চট্টোপাধ্যায় முருகன் रेड्डी",
        "मुंबई, কলকাতা, சென்னை",
        "महात्मा गांधी मार्ग, পার্ক স্ট্রিট",
    ),
    "thai": names("สมชาย น้ำฝน กิตติ", "ใจดี ศรีสุข", "กรุงเทพฯ, เชียงใหม่", "ถนนสุขุมวิท"),
    "chinese": names(
        "伟 秀英 小龙 𠀀明 婷婷", "王 李 歐陽 諸葛", "北京, 臺北, 香港", "南京路, 中山北路", EAST
    ),
    "japanese": names(
        "さくら 健太 ユキ 美咲 ﾀﾛｳ",
        "𠮷田 髙橋 渡邉 山﨑",
        "東京都, 札幌市, 神戸市",
        "銀座通り",
        EAST,
    ),
    "korean": names("민준 서연 지우", "김 이 박 남궁", "서울, 부산", "세종대로, 강남대로", EAST),
    "caucasian": names(
        "ნინო გიორგი Անի Հայկ", "ბერიძე Սարգսյան", "თბილისი, Երևան", "რუსთაველის გამზირი"
    ),
    "ethiopic": names("አበበ ትርንጎ ሰላም", "ከበደ ተስፋዬ", "አዲስ አበባ", "ቦሌ መንገድ"),
    # Accents here are separate, combining characters: "é" is two code points.
    "combining": names(
        "Rene\u0301 Chloe\u0308 N\u0303usta", "A\u030angstro\u0308m", "Me\u0301rida", "Calle 60"
    ),
}

NICKNAMES = (
    "😀", "🦄 Uni", "👩‍👩‍👧‍👦", "👍🏽", "🇪🇺", "❤️", "Zoë✨",
    "naïve", "مرحبا", "𝔊𝔬𝔱𝔥", "null", "N/A", "0", "",
)  # fmt: skip
"""Short names that often break: emoji, joined emoji, flags, words that look like nothing."""
