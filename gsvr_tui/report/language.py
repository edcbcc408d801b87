"""Which language a text is in, well enough to notice a wrong one: scripts, stop words, simplified or traditional."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gsvr_tui.report import limits

_NAMES = {
    "en": "English",
    "zh": "Chinese",
    "zh-hans": "Simplified Chinese",
    "zh-cn": "Simplified Chinese",
    "zh-sg": "Simplified Chinese",
    "zh-hant": "Traditional Chinese",
    "zh-tw": "Traditional Chinese",
    "zh-hk": "Traditional Chinese",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "pt-br": "Brazilian Portuguese",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "sv": "Swedish",
    "tr": "Turkish",
    "ru": "Russian",
    "uk": "Ukrainian",
    "el": "Greek",
    "he": "Hebrew",
    "ar": "Arabic",
    "fa": "Persian",
    "hi": "Hindi",
    "th": "Thai",
    "vi": "Vietnamese",
    "id": "Indonesian",
    "ja": "Japanese",
    "ko": "Korean",
}


def language_name(code: str) -> str:
    """The English name of a BCP-47 language, or the code itself."""
    lowered = code.lower()
    return _NAMES.get(lowered) or _NAMES.get("-".join(lowered.split("-")[:2])) or _NAMES.get(primary(code)) or code


def primary(code: str) -> str:
    """The primary subtag: `zh` of `zh-Hans`."""
    return code.split("-")[0].lower()


# ---------------------------------------------------------------- scripts

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_LATIN_WORD = re.compile("[A-Za-z\u00c0-\u024f]+(?:['’][A-Za-z]+)?")
_SCRIPTS = {
    "latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "greek": re.compile("[\u0370-\u03ff]"),
    "hebrew": re.compile("[\u0590-\u05ff]"),
    "arabic": re.compile("[\u0600-\u06ff]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
    "thai": re.compile("[\u0e00-\u0e7f]"),
    "kana": re.compile("[\u3040-\u30ff]"),
    "hangul": re.compile("[\uac00-\ud7af\u1100-\u11ff]"),
    "han": _HAN,
}
_SCRIPT_OF = {
    **dict.fromkeys(("en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv", "tr", "vi", "id"), "latin"),
    **{"ru": "cyrillic", "uk": "cyrillic", "el": "greek", "he": "hebrew", "ar": "arabic", "fa": "arabic"},
    **{"hi": "devanagari", "th": "thai", "ja": "kana", "ko": "hangul"},
}

_STOPWORDS = {
    "en": "the of and to in is that it for was with as are this be on by at from not which have you they we but what",
    "de": "der die das und ist nicht ein eine zu den von mit sich des auf für im dem auch es werden wird sind wir aber",
    "fr": "le la les de des et est un une que qui dans pour pas sur ce il elle nous vous avec par plus sont au aux",
    "es": "el la los las de que y en un una es por con para no se del al lo como más pero su este esta son",
    "pt": "o a os as de que e em um uma é por com para não se do da no na como mais mas seu isso são ao",
    "it": "il lo la gli le di che e è un una per con non si del della nel come più ma sono questo questa anche",
    "nl": "de het een en van is dat niet op te in voor met zijn er aan ook als maar om bij wordt deze naar",
    "pl": "i w nie na się z do to jest że o jak ale po co tak za od przez dla są oraz jego być",
    "sv": "och att det i som en på är av för med den till inte ett om har de vi men kan så från var",
    "id": "yang dan di ini itu dengan untuk tidak dari dalam akan pada juga adalah ke karena bisa ada oleh kita",
    "tr": "ve bir bu için ile de da çok ne olarak daha gibi var ama olan ki sonra kadar değil biz",
}
_STOPWORD_SETS = {code: frozenset(words.split()) for code, words in _STOPWORDS.items()}

# Common characters that exist in one of the two forms only, in the same order.
_SIMPLIFIED = (
    "这说会个们为时来对国学过后发经现实开关问题还没进样动种让从间长书见车门马东语话认识记论设计讲课师习义应该"
    "当变电线给结构图数据总处声听写点热难观气儿业务华汉头买卖读万与专严丰临举乐书乡亲亿仅们优传伤伦侧债产亩仓"
    "仪价众"
)
_TRADITIONAL = (
    "這說會個們為時來對國學過後發經現實開關問題還沒進樣動種讓從間長書見車門馬東語話認識記論設計講課師習義應該"
    "當變電線給結構圖數據總處聲聽寫點熱難觀氣兒業務華漢頭買賣讀萬與專嚴豐臨舉樂書鄉親億僅們優傳傷倫側債產畝倉"
    "儀價眾"
)
_ONLY_SIMPLIFIED = frozenset(_SIMPLIFIED)
_ONLY_TRADITIONAL = frozenset(_TRADITIONAL) - _ONLY_SIMPLIFIED

_NOT_PROSE = re.compile(r"```.*?```|`[^`\n]*`|“[^”]*”|\"[^\"\n]*\"|「[^」]*」|https?://\S+|\$[^$\n]+\$", re.DOTALL)


def prose(text: str) -> str:
    """The text without code, quotations, addresses and formulas, whose language is their own."""
    return _NOT_PROSE.sub(" ", text)


@dataclass(frozen=True, slots=True)
class LanguageOpinion:
    """`fits` is None when there is too little text or the language is not one that is known here."""

    fits: bool | None
    why: str = ""


def han_share(text: str) -> tuple[float, int]:
    """Han characters ÷ (Han characters + Latin words), and that sum. Letters would punish good technical texts."""
    han = len(_HAN.findall(text))
    units = han + len(_LATIN_WORD.findall(text))
    return (han / units if units else 0.0), units


def judge_language(text: str, language: str) -> LanguageOpinion:
    """Is the text in the language? Looks at prose only."""
    text = prose(text)
    if primary(language) == "zh":
        return _judge_chinese(text, language)
    letters = {script: len(pattern.findall(text)) for script, pattern in _SCRIPTS.items()}
    total = sum(letters.values())
    wanted = _SCRIPT_OF.get(primary(language))
    # A Chinese, Japanese or Korean character says as much as several letters.
    weight = total + 3 * (letters["han"] + letters["kana"] + letters["hangul"])
    if wanted is None or weight < limits.LANGUAGE_MIN_CHARS:
        return LanguageOpinion(None)
    share = letters[wanted] / total
    if primary(language) == "ja":
        share = (letters["kana"] + letters["han"]) / total if letters["kana"] > 0.1 * total else 0.0
    if share < limits.SCRIPT_SHARE:
        return LanguageOpinion(False, f"only {share:.0%} of the letters are those of {language_name(language)}")
    if wanted == "latin":
        return _judge_words(text, language)
    return LanguageOpinion(True)


def _judge_chinese(text: str, language: str) -> LanguageOpinion:
    share, units = han_share(text)
    others = sum(len(_SCRIPTS[name].findall(text)) for name in ("cyrillic", "greek", "hebrew", "arabic", "devanagari"))
    foreign = others // 5 + len(_SCRIPTS["hangul"].findall(text)) + len(_SCRIPTS["thai"].findall(text)) // 4
    if foreign:
        share, units = share * units / (units + foreign), units + foreign
    if units < limits.HAN_MIN_UNITS:
        return LanguageOpinion(None)
    if share < limits.HAN_SHARE:
        return LanguageOpinion(False, f"only {share:.0%} of it is Chinese")
    if len(_SCRIPTS["kana"].findall(text)) > 0.15 * units:
        return LanguageOpinion(False, "it is Japanese")
    variant = language_name(language)
    if variant not in ("Simplified Chinese", "Traditional Chinese"):
        return LanguageOpinion(True)
    simplified = sum(1 for char in text if char in _ONLY_SIMPLIFIED)
    traditional = sum(1 for char in text if char in _ONLY_TRADITIONAL)
    right = simplified if variant == "Simplified Chinese" else traditional
    seen = simplified + traditional
    if seen >= limits.VARIANT_MIN and right / seen < limits.VARIANT_SHARE:
        return LanguageOpinion(False, f"it is Chinese, but not {variant}")
    return LanguageOpinion(True)


def _judge_words(text: str, language: str) -> LanguageOpinion:
    wanted = primary(language)
    if wanted not in _STOPWORD_SETS:
        return LanguageOpinion(None)
    words = [word.lower() for word in _LATIN_WORD.findall(text)]
    hits = {code: sum(1 for word in words if word in stop) for code, stop in _STOPWORD_SETS.items()}
    best = max(hits, key=lambda code: (hits[code], code == wanted))
    if best != wanted and hits[best] >= limits.STOPWORD_MIN and hits[best] > limits.STOPWORD_LEAD * hits[wanted]:
        return LanguageOpinion(False, f"it reads like {language_name(best)}")
    return LanguageOpinion(True)
