"""Languages are told apart well enough to notice a wrong one, and code or quotations are not held against a text."""

from __future__ import annotations

import pytest

from gsvr_tui.report.language import han_share, judge_language, language_name

ENGLISH = (
    "The lecture begins with a question that the students have asked before: why is the sky blue? It is s"
    "hown with a tank of water and some milk that light of short wavelengths is scattered more than light"
    " of long ones, and from this they can see what happens in the air above them."
)
GERMAN = (
    "Die Vorlesung beginnt mit einer Frage, die auch schon die Schüler gestellt haben: Warum ist der Himm"
    "el blau? Es wird mit einem Becken und etwas Milch gezeigt, dass sich das Licht mit den kurzen Wellen"
    " stärker zerstreut, und von dem ausgehend ist nicht schwer zu verstehen, was in der Luft für uns sic"
    "htbar wird."
)
CHINESE = (
    "这节课从学生提出的问题开始：为什么天空是蓝色的？老师用水槽和牛奶说明短波长的光散射得更强，然后解"
    "释日落时天空变红的原因。"
)
TRADITIONAL = (
    "這節課從學生提出的問題開始：為什麼天空是藍色的？老師用水槽和牛奶說明短波長的光散射得更強，然後解"
    "釋日落時天空變紅的原因，還說過這個實驗會讓學生們記住。"
)
JAPANESE = (
    "この授業は、学生から出された「なぜ空は青いのか」という質問から始まります。先生は水槽と牛乳を使っ"
    "て、短い波長の光がより強く散乱されることを示します。"
) * 3
KOREAN = (
    "이 수업은 학생들이 낸 질문에서 시작합니다. 하늘은 왜 파란가요? 선생님은 수조와 우유"
    "를 사용하여 짧은 파장의 빛이 더 강하게 산란된다는 것을 보여 줍니다. "
) * 3
RUSSIAN = (
    "Лекция начинается с вопроса, который задали студенты: почему небо голубое? С помощью аквариума и"
    " молока показано, что свет с короткой длиной волны рассеивается сильнее. "
) * 2
SAMPLES = {
    "en": ENGLISH,
    "de": GERMAN,
    "zh-Hans": CHINESE,
    "zh-Hant": TRADITIONAL,
    "ja": JAPANESE,
    "ko": KOREAN,
    "ru": RUSSIAN,
}


@pytest.mark.parametrize("wanted", SAMPLES)
@pytest.mark.parametrize("written", SAMPLES)
def test_each_language_is_accepted_as_itself_and_no_other(wanted: str, written: str) -> None:
    assert judge_language(SAMPLES[written], wanted).fits is (wanted == written)


def test_chinese_of_either_kind_is_chinese_when_no_kind_is_asked_for() -> None:
    assert judge_language(CHINESE, "zh").fits is True
    assert judge_language(TRADITIONAL, "zh").fits is True
    assert judge_language(TRADITIONAL, "zh-TW").fits is True
    assert judge_language(CHINESE, "zh-HK").fits is False


def test_technical_chinese_with_code_quotes_and_terms_passes() -> None:
    text = (
        "我们用 `for index in range(10): print(index)` 这个循环来遍历列表，每次调用 print 函数输出一个数字，"
        "然后介绍 Python 里的 list 和 dict 两种数据结构，说明什么时候用哪一种。老师引用了“premature optimization "
        "is the root of all evil”这句话。\n```python\nwhile True:\n"
        "    do_something_with(very_long_name, another_name)\n```\n"
    )
    assert judge_language(text, "zh-Hans").fits is True


def test_a_text_half_in_another_language_does_not_pass() -> None:
    assert judge_language(CHINESE + ENGLISH, "zh-Hans").fits is False
    assert judge_language(ENGLISH + CHINESE * 3, "en").fits is False


def test_short_texts_and_languages_not_known_here_are_not_judged() -> None:
    assert judge_language("Hello there", "zh-Hans").fits is None
    assert judge_language("你好", "en").fits is None
    assert judge_language(ENGLISH, "sw").fits is None


def test_words_are_counted_not_letters() -> None:
    share, units = han_share("使用 antidisestablishmentarianism 这个词")
    assert units == 6
    assert share == pytest.approx(5 / 6)


def test_names_of_languages_are_given_for_their_relatives_too() -> None:
    assert language_name("zh-Hant-TW") == "Traditional Chinese"
    assert language_name("en-GB") == "English"
    assert language_name("xx") == "xx"
