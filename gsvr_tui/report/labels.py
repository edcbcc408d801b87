"""The few words that the renderers add themselves, in the report's language where it is known."""

from __future__ import annotations

from collections.abc import Mapping

from gsvr_tui.report.template_model import in_language

_LABELS: Mapping[str, Mapping[str, str]] = {
    "contents": {"en": "Contents", "zh-Hans": "目录", "zh-Hant": "目錄"},
    "missing": {"en": "Not covered", "zh-Hans": "未覆盖的时间段", "zh-Hant": "未涵蓋的時間段"},
    "findings": {"en": "What the check found", "zh-Hans": "检查结果", "zh-Hant": "檢查結果"},
    "made": {
        "en": "Made by {model} from “{name}” ({duration}).",
        "zh-Hans": "由 {model} 根据“{name}”（{duration}）生成。",
        "zh-Hant": "由 {model} 根據「{name}」（{duration}）生成。",
    },
    "ok": {
        "en": "Checked: no faults found.",
        "zh-Hans": "已检查：未发现问题。",
        "zh-Hant": "已檢查：未發現問題。",
    },
    "repaired": {
        "en": "Checked: small faults were found and mended; they are listed at the end.",
        "zh-Hans": "已检查：发现的小问题已修正，列于文末。",
        "zh-Hant": "已檢查：發現的小問題已修正，列於文末。",
    },
    "partial": {
        "en": "Incomplete: {covered} of the video is covered. The reasons are listed at the end.",
        "zh-Hans": "不完整：覆盖视频的 {covered}。原因列于文末。",
        "zh-Hant": "不完整：涵蓋影片的 {covered}。原因列於文末。",
    },
    "faulty": {
        "en": "Parts of this are faulty: what the check found is listed at the end.",
        "zh-Hans": "部分内容有误：检查结果列于文末。",
        "zh-Hant": "部分內容有誤：檢查結果列於文末。",
    },
    "rejected": {
        "en": "Do not rely on this: the check rejected it. The reasons are listed at the end.",
        "zh-Hans": "请勿采信：未通过检查，原因列于文末。",
        "zh-Hant": "請勿採信：未通過檢查，原因列於文末。",
    },
    "warn": {"en": "note", "zh-Hans": "提示", "zh-Hant": "提示"},
    "fail": {"en": "fault", "zh-Hans": "问题", "zh-Hant": "問題"},
}


def label(key: str, language: str) -> str:
    """The word in a language, or in English."""
    return in_language(_LABELS[key], language)
