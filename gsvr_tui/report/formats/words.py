"""The words that the formats add themselves, in the report's language where it is known."""

from __future__ import annotations

from collections.abc import Mapping

from gsvr_tui.report.template_model import in_language

_WORDS: Mapping[str, tuple[str, str, str]] = {
    "about": ("About this report", "关于本报告", "關於本報告"),
    "all": ("Videos", "视频", "影片"),
    "checks_passed": ("{count} checks passed", "{count} 项检查通过", "{count} 項檢查通過"),
    "cost": ("Cost", "费用", "費用"),
    "covered": ("Covered", "覆盖", "涵蓋"),
    "created": ("Made", "生成时间", "產生時間"),
    "details": ("Details", "详情", "詳情"),
    "duration": ("Length", "时长", "時長"),
    "file": ("File", "文件", "檔案"),
    "frame": ("Frame at {time}", "{time} 的画面", "{time} 的畫面"),
    "id": ("Report", "报告编号", "報告編號"),
    "list_faulty": ("faulty", "有误", "有誤"),
    "list_none": ("no report", "无报告", "無報告"),
    "list_ok": ("checked", "已检查", "已檢查"),
    "list_partial": ("incomplete", "不完整", "不完整"),
    "list_rejected": ("rejected", "未通过", "未通過"),
    "list_repaired": ("repaired", "已修正", "已修正"),
    "model": ("Model", "模型", "模型"),
    "no_player": (
        "This player can't show the video. The times still open it.",
        "此处无法播放该视频；点击时间仍可打开。",
        "此處無法播放該影片；點擊時間仍可開啟。",
    ),
    "report": ("Report", "报告", "報告"),
    "reports_of": ("{done} of {total} with a report", "{total} 个视频，{done} 份报告", "{total} 部影片，{done} 份報告"),
    "requests": ("Requests", "请求次数", "請求次數"),
    "section": ("Section", "部分", "部分"),
    "speaker": ("Speaker", "说话人", "說話人"),
    "template": ("Template", "模板", "範本"),
    "time": ("Time", "时间", "時間"),
    "timeline": ("Timeline", "时间轴", "時間軸"),
    "tokens": ("Tokens", "词元", "詞元"),
    "tokens_of": ("{input} in, {output} out", "输入 {input}，输出 {output}", "輸入 {input}，輸出 {output}"),
    "verdict": ("Check", "检查", "檢查"),
    "video": ("Video", "视频", "影片"),
}


def word(key: str, language: str) -> str:
    """The word in a language, or in English."""
    en, hans, hant = _WORDS[key]
    return in_language({"en": en, "zh-Hans": hans, "zh-Hant": hant}, language)
