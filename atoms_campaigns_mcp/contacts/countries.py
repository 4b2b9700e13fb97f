"""Countries as lists name them: ISO codes, country calling codes, and names in many languages."""

import importlib.util
import re
from functools import cache, lru_cache
from pathlib import Path

import phonenumbers

from atoms_campaigns_mcp.contacts.vocabulary import fold

NONE = frozenset({"", "na", "none", "null", "nan", "unknown", "undefined", "tbd", "0"})
_DIAL = re.compile(r"(?:\+|00|0)?\s*([1-9]\d{0,2})(?:\.0+)?")
_DIAL_AREA = re.compile(r"(?:\+|00)?1[ -](\d{3})")  # 1-684: an area code of North America
_PARTS = re.compile(r"[(),/|]|\s[-\u2013]\s|(?<=\D)\s(?=\+)")  # India (+91), DE - Germany
_FLAG = 0x1F1E6  # the first of the letters that make flags
_ISO3 = (
    "ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATGAG AUSAU AUTAT AZEAZ "
    "BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO "
    "BRABR BRBBB BRNBN BTNBT BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG "
    "COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK "
    "DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM "
    "GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT "
    "GUFGF GUMGU GUYGY HKGHK HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ "
    "ISLIS ISRIL ITAIT JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW "
    "LAOLA LBNLB LBRLR LBYLY LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC "
    "MDAMD MDGMG MDVMV MEXMX MHLMH MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS "
    "MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP "
    "NRUNR NZLNZ OMNOM PAKPK PANPA PERPE PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS "
    "PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SHNSH SJMSJ SLBSB SLESL SLVSV "
    "SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC "
    "TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG "
    "UKRUA URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA "
    "ZMBZM ZWEZW"
)
_COMMON = {
    "uk": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northernireland": "GB",
    "greatbritain": "GB",
    "britain": "GB",
    "america": "US",
    "unitedstatesofamerica": "US",
    "usofa": "US",
    "eeuu": "US",
    "eua": "US",
    "uae": "AE",
    "emirates": "AE",
    "russianfederation": "RU",
    "korea": "KR",
    "republicofkorea": "KR",
    "korearepublicof": "KR",
    "southkorea": "KR",
    "northkorea": "KP",
    "ivorycoast": "CI",
    "czechrepublic": "CZ",
    "czechia": "CZ",
    "holland": "NL",
    "vietnam": "VN",
    "turkey": "TR",
    "turkiye": "TR",
    "macedonia": "MK",
    "burma": "MM",
    "capeverde": "CV",
    "swaziland": "SZ",
    "eswatini": "SZ",
    "hongkong": "HK",
    "macau": "MO",
    "macao": "MO",
    "taiwan": "TW",
    "palestine": "PS",
    "iran": "IR",
    "syria": "SY",
    "laos": "LA",
    "brunei": "BN",
    "moldova": "MD",
    "tanzania": "TZ",
    "bolivia": "BO",
    "venezuela": "VE",
    "drcongo": "CD",
    "brasil": "BR",
    "deutschland": "DE",
    "espana": "ES",
    "bharat": "IN",
    "中国大陆": "CN",
    "台湾": "TW",
}


@lru_cache(maxsize=4096)
def country_of(cell: str) -> str | None:
    """Return the country (ISO 3166, two letters) that a cell names; "" if it is empty.

    A calling code that several countries share stands for the main one of them: their numbers are
    read alike.

    Returns:
        None if the cell holds something else.
    """
    text = "".join(map(_letter_of_flag, cell)).strip()
    if text == "NA":  # Namibia, or not available
        return None
    if fold(text) in NONE:
        return ""
    if found := _one(text):
        return found
    parts = {_one(part) for part in _PARTS.split(text) if fold(part)}
    return parts.pop() if len(parts) == 1 else None


def _one(text: str) -> str | None:
    if dial := _DIAL.fullmatch(text.strip()):
        return _main(int(dial[1]))
    return _main(1) if _DIAL_AREA.fullmatch(text) else _named(text)


@lru_cache(maxsize=512)
def code_of_country(country: str) -> int:
    """Return the calling code of a country; several countries may share one."""
    return phonenumbers.country_code_for_region(country)


def _main(code: int) -> str | None:
    region = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ("001",))[0]
    return region if region.isalpha() else None


def _letter_of_flag(char: str) -> str:
    letter = ord(char) - _FLAG
    return chr(letter + ord("A")) if 0 <= letter < 26 else char  # noqa: PLR2004 - A to Z


def _named(text: str) -> str | None:
    joined = fold(text)
    if (code := joined.upper()) in phonenumbers.SUPPORTED_REGIONS:
        return code
    return _COMMON.get(joined) or _three_letters().get(code) or _names().get(joined)


@cache
def _three_letters() -> dict[str, str]:
    return {pair[:3]: pair[3:] for pair in _ISO3.split()}


@cache
def _names() -> dict[str, str]:
    """Return every name that libphonenumber knows, in about twenty languages."""
    # Imported the usual way, its package would load all area codes of the world: seconds and 90 MB.
    name = "phonenumbers.geodata.locale"
    path = Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    by_region: dict[str, dict[str, str]] = module.LOCALE_DATA
    return {
        fold(name): region
        for region, names in by_region.items()
        for name in names.values()
        if not name.startswith("*") and region in phonenumbers.SUPPORTED_REGIONS
    }
