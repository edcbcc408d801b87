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

# Common characters that exist in one of the two forms only, pair by pair.
_PAIRS = (
    "这這 说說 会會 个個 们們 为為 时時 来來 对對 国國 学學 过過 后後 发發 经經 现現 实實 开開 关關 问問 题題 还還 没沒 进進 样樣 动動 种種 "
    "让讓 从從 间間 长長 书書 见見 车車 门門 马馬 东東 语語 话話 认認 识識 记記 论論 设設 计計 讲講 课課 师師 习習 义義 应應 该該 当當 变變 "
    "电電 线線 给給 结結 构構 图圖 数數 据據 总總 处處 声聲 听聽 写寫 点點 热熱 难難 观觀 气氣 儿兒 业業 务務 华華 汉漢 头頭 买買 卖賣 读讀 "
    "万萬 与與 专專 严嚴 丰豐 临臨 举舉 乐樂 书書 乡鄉 亲親 亿億 仅僅 们們 优優 传傳 伤傷 伦倫 侧側 债債 产產 亩畝 仓倉 仪儀 价價 众眾 "
).split()
_ONLY_SIMPLIFIED = frozenset(pair[0] for pair in _PAIRS)
_ONLY_TRADITIONAL = frozenset(pair[1] for pair in _PAIRS) - _ONLY_SIMPLIFIED

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
    # A Han character says as much as several letters.
    if wanted is None or total + 3 * letters["han"] < limits.LANGUAGE_MIN_CHARS:
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
