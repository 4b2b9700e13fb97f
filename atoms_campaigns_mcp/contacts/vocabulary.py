"""What columns are called in exports of many programs and languages, and what that says of them."""

import re
import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache

WHY = "why_rejected"  # what a file of rejected rows calls its last column

_STROKES = str.maketrans("\u0142\u0131\u0111\u00f8", "lido")  # letters that do not decompose


class Rank(IntEnum):
    """How surely a name says that a column holds numbers to dial, the surest first."""

    PHONE = 0
    PERHAPS = 1  # "number", "contact": only the cells can tell
    UNNAMED = 2  # the name says nothing
    OTHER = 3  # the name says that it holds something else


# Latin words, without accents. They may stand alone, or joined as in MobilePhone, Telefonnummer.
_CORE = (
    "phones?|telephones?|telefoon|telefon|telefone|telefono|telefonos|telefoni|telefony|telefona"
    "|telefonu|telefonos|telefonas|telefons|telefonski|telefonska|telefonske|tele?f|tlf|tfno|tel"
    "|telno|fone|fon|mobiles?|mobil|mobili|mobilni|mobitel|mobiltelefon|mobilcimi|mobilais|mob"
    "|cell|cells|cellular|cellulare|celular|celulares|cel|movil|moviles|whats?apps?|wapp|msisdn"
    "|e164|gsm|тел|моб|сот|handy|handphone|rufnummer|ruf|portable|fijo|fixo|telefonino|komorka|komorkowy"
    "|puhelin|matkapuhelin|telepon|telpon|ponsel|selular|seluler|simu|sdt|landline|sms|mobiel"
    "|festnetz|sími|simi|kinito|telemovel|telemobil|numtel|natel|ph|phn"
)
_BEFORE = (
    "home|work|business|biz|office|main|primary|contact|customer|client|mobile|mobil|cell|tele"
    "|user|lead|person|owner|day|night|evening|other|alt|privat|geschafts|dienst|firmen|mobiele"
)
_AFTER = "numbers?|num|nr|no|nbr|nummer|numero|numeron|numer|szam|szama|lar|e164|s|[0-9]+"
_PHONE_WORD = re.compile(rf"(?:{_BEFORE})*(?:{_CORE})(?:{_AFTER})*")
_WITH = frozenset("with without incl include including mit ohne avec sans con sin com sem".split())  # noqa: SIM905
_PHONE_PHRASES = (
    {"no", "hp"}, {"nomor", "hp"}, {"number", "hp"}, {"dien", "thoai"}, {"di", "dong"},
    {"so", "dt"}, {"no", "wa"}, {"nomor", "wa"},
)  # fmt: skip
_NUMBER_WORDS = frozenset(
    "number numbers num no nr nbr nummer numero numer nomor contact contacts contacto contatto"  # noqa: SIM905
    " kontakt contato msisdns callback cep".split()  # a mobile in Turkey, a postal code in Brazil
)
_WHICH_ONE = frozenset("alternate alternative alt secondary second primary main other".split())  # noqa: SIM905
# Words of what stands beside a number, or of numbers that nobody should dial.
_OTHER_WORDS = frozenset(
    "type typ tipo telefontyp label code codes codigo prefix country pays pais land region"  # noqa: SIM905
    " ext extn extension id ids uuid guid key status state verified valid validated validity"
    " carrier operator network provider fax faxnummer pager telex isdn tty radio assistant"
    " assistants asst assistent assistentin assistente asistente"
    " emergency consent opt optin optout optedin dnc call calls called callable"
    " date datum fecha time zone timezone tz note notes comment count total score model"
    " brand os imei imsi iccid sim device plan bill billed price cost amount email mail url"
    " link website name names agent lookup error reason account acct order orders ref"
    " reference referenz invoice ticket case policy passport vat tax iban zip postal"
    " postcode plz pin kundennummer bestellnummer kontonummer rechnungsnummer auftragsnummer"
    " vorwahl ddi isd indicatif ceo blocked".split()
)
# What is counted or numbered and not dialled, alone or joined as in Ordrenummer: an order's number.
_COUNTED = (
    "customers?|clients?|cust|member|membership|user|employee|patient|student|serial|house|street"
    "|flat|room|item|product|sku|lot|batch|card|row|seq|contract|claim|tracking|shipment|receipt"
    "|transaction|txn|quote|booking|reservation|licen[cs]e|registration|meter|loan|voucher"
    "|kd|kunde|kunden|bestell|bestellung|bestellungs|auftrag|auftrags|rechnung|rechnungs|konto"
    "|vertrag|vertrags|mitglied|mitglieds|personal|vorgang|vorgangs|aktenzeichen"
    "|pedidos?|encargo|orden|facturas?|clientes?|cuenta|socio|contrato|expediente|referencia|envio"
    "|ordine|ordini|fattura|conto|riferimento|contratto|tessera|pratica|spedizione"
    "|commandes?|factures?|compte|dossier|adherent|contrat|abonne|suivi"
    "|encomenda|fatura|conta|matricula|protocolo|bestelling|bestel|klant|klanten|factuur|lid"
    "|ordrer?|kund|faktura|medlems?|asiakas|tilaus|lasku|zamowieni[ae]|klient|klienta|faktury|umowy"
    "|objednavk[ay]|zakaznika?|smlouvy|rendeles|ugyfel|szamla|comanda|comenzii|siparis|musteri"
    "|pesanan|pelanggan|faktur|transaksi|donhang"
)
# Of other scripts, parts of a name; they are folded like the name before they are compared.
_COUNTED_WORD = re.compile(rf"(?:{_COUNTED})(?:{_AFTER}|id)*")
_COUNTED_PARTS = (
    "заказ клиент счет счёт договор замовлен клієнт поръчк 注文 受注 伝票 顧客 会員 請求 お客様"  # noqa: SIM905
    " 管理番号 订单 訂單 客户号 客戶號 会员 會員 单号 單號 주문 고객 회원 송장 الطلب العميل"
    " الفاتورة הזמנה לקוח คำสั่งซื้อ ลูกค้า παραγγελ πελατ ऑर्डर ग्राहक".split()
)
_PHONE_PARTS = (
    "电话 電話 手机 手機 携帯 移动号码 联系方式 聯絡方式 联系号码 ケータイ 휴대 핸드폰 전화 телефон"  # noqa: SIM905
    " мобильн мобільн мобилен сотов هاتف جوال موبايل محمول تلفن همراه فون फ़ोन फोन मोबाइल दूरभाष"
    " โทรศัพท์ มือถือ เบอร์ טלפון נייד τηλεφων τηλ κινητο ফোন মোবাইল தொலைபேசி மொபைல் ఫోన్ మొబైల్"
    " ಫೋನ್ ಮೊಬೈಲ್ ഫോൺ മൊബൈൽ ફોન મોબાઇલ ਫੋਨ ਮੋਬਾਈਲ հեռախոս ტელეფონ ទូរស័ព្ទ ໂທລະສັບ ဖုန်း ስልክ".split()
)
_OTHER_PARTS = (
    "类型 類型 種別 区号 區號 国家 國家 归属 备注 備註 运营商 状态 狀態 传真 傳真 ファックス факс"  # noqa: SIM905
    " فاكس 팩스 тип код статус оператор 编号 編號 番号札 メール".split()
)
_ZONE = re.compile(
    r"(?:iana|olson|local|contact|customer|lead|user|client|olson|my|home)*"
    r"(?:timezones?|tz|tzid|tzname|zeitzone|zonahoraria|fusohorario|fusoorario|fuseauhoraire"
    r"|tijdzone|tidszon|tidssone|tidszone|aikavyohyke|saatdilimi|strefaczasowa|zonawaktu|muigio"
    r"|часовоипояс|时区|時區|タイムソーン|시간대|المنطقةالزمنية|समयक्षेत्र)"
    r"(?:name|id|iana|code|olson)*"
)
_DIAL_CODE = re.compile(
    r"(?:phone|mobile|tel|telephone|contact|whatsapp|international|intl|number)*"
    r"(?:countrycode|countrycallingcode|countrydialcode|countrydialingcode|countryphonecode"
    r"|code|phonecode|mobilecode|telcode|dialcode|dialingcode|diallingcode|callingcode|isd|isdcode|idd"
    r"|ddi|cc|phonecountry|mobilecountry|phonecountryiso|phoneprefix|countryprefix|prefix"
    r"|landervorwahl|landesvorwahl|landerkennzahl|indicatif|indicatifpays|codigopais"
    r"|codigodepais|codigodelpais|prefijo|prefijopais|prefissointernazionale|codigodopais"
    r"|кодстраны|国家代码|國家代碼|国番号|국가번호|رمزالدولة)(?:phone|number|mobile|iso|alpha2)*"
)
# Not ip: where an address was seen on the network is no country of a number.
_WHOSE = (
    "billing|shipping|mailing|home|work|business|contact|customer|lead|person|company"
    "|defaultaddress|address|account|user|other|client|current|primary|country|geschaftlich|privat"
    "|weitere[rs]?|bureau|domicile|autre|trabajo|deltrabajo|domicilio|deldomicilio|particular"
    "|comercial|residencial|outro|uff|ab|altro|werk|thuis|会社|自宅|住所|その他|[0-9]"
)
_OWNERS = frozenset(
    "billing shipping mailing home work business other geschaftlich privat bureau domicile"  # noqa: SIM905
    " trabajo domicilio comercial residencial".split()
)
_COUNTRY = re.compile(
    rf"(?:{_WHOSE})*"
    r"(?:country|countryname|nation|iso|iso2|iso3|isocode|isocountrycode|alpha2"
    r"|alpha3|land|lander|pays|pais|paese|negara|ulke|kraj|zeme|maa|quocgia|orszag|tara"
    r"|страна|краина|国家|國家|国|国名|국가|البلد|الدولة|देश|ประเทศ|χωρα|מדינה)"
    r"o?(?:region|regione|regiao|regio|areageografica|地域)?"
    rf"(?:iso|code|name|iso2|iso3|iso31661|alpha2|alpha3|{_WHOSE})*"
)
UNSURE = 2
_COUNTRY_WORDS = frozenset("country ctry pays pais paese страна".split())  # noqa: SIM905
# Country of birth; and where states are written as well, IN may be Indiana.
_OTHER_COUNTRIES = frozenset(
    "ip card bank issuing issuer state states province manager product manufacture hq".split()  # noqa: SIM905
)
_BIRTH = re.compile(r"birth|origin|nationality|citizen|destination|travel|visit")


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Write without case, accents, spaces and punctuation."""
    return "".join(words(text))


def words(name: str) -> tuple[str, ...]:
    """Split a column's name into its words, without case and accents: homePhone2 is three."""
    spaced = name.replace("WhatsApp", "Whatsapp").replace("SMS", "Sms")
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", spaced)
    plain = unicodedata.normalize("NFKD", spaced.casefold().translate(_STROKES))
    kept = "".join(char for char in plain if not unicodedata.category(char).startswith("M"))
    return tuple(re.findall(r"[^\W_]+", kept))


def rank(name: str) -> Rank:
    """Report what a column's name says about numbers to dial."""
    found, joined = _before_remark(words(name)), fold(name)
    if not found or joined == WHY.replace("_", "") or is_zone(name):
        return Rank.OTHER if found else Rank.UNNAMED
    if any(word in _OTHER_WORDS for word in found) or _has_part(joined, _OTHER_PARTS):
        return Rank.OTHER
    if _says_phone(found) or _has_part(joined, _PHONE_PARTS):
        return Rank.PHONE
    if any(map(_COUNTED_WORD.fullmatch, found)) or _has_part(joined, _COUNTED_PARTS):
        return Rank.OTHER
    rest = set(found) - _WHICH_ONE
    return Rank.PERHAPS if rest and rest <= _NUMBER_WORDS else Rank.UNNAMED


def _before_remark(found: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out how to write a number: Phone number (with country code)."""
    for place, word in enumerate(found):
        if word in _WITH and _says_phone(found[:place]):
            return found[:place]
    return found


def _says_phone(found: Sequence[str]) -> bool:
    candidates = (*found, "".join(found))
    phrased = any(phrase <= set(found) for phrase in _PHONE_PHRASES)
    return phrased or any(map(_PHONE_WORD.fullmatch, candidates))


def _has_part(joined: str, parts: Sequence[str]) -> bool:
    return any(fold(part) in joined for part in parts)


@lru_cache(maxsize=4096)
def is_zone(name: str) -> bool:
    """Whether a column is called like one of time zones."""
    return bool(_ZONE.fullmatch(fold(name)))


def country_rank(name: str) -> int | None:
    """Report how well a column's name says that it decides the country of a number.

    Returns:
        0 if it says so, more the less it does, `UNSURE` if only the cells can tell; None if it
        does not.
    """
    joined = fold(name)
    if _BIRTH.search(joined):
        return None
    if _DIAL_CODE.fullmatch(joined):
        return 0
    if _COUNTRY.fullmatch(joined):
        return 1
    found = set(words(name))
    return UNSURE if found & _COUNTRY_WORDS and not found & _OTHER_COUNTRIES else None


def shares_owner(one: str, other: str) -> bool:
    """Whether two columns say that they belong together: billing_phone and billing_country."""
    return bool(set(words(one)) & set(words(other)) & _OWNERS)


def wants_digits(name: str) -> bool:
    """Whether a column decides the country only with calling codes.

    Prefix may hold Mr and Ms, and CC where an address was seen on the network.
    """
    return fold(name) in {"prefix", "prefijo", "cc", "idd", "ddi", "indicatif", "isd"}


def wants_plus(name: str) -> bool:
    """Whether a column decides the country only with calling codes that have their plus."""
    return fold(name) == "code"
