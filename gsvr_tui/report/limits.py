"""Every number of the quality gate and of reading answers, in one place. Lengths in characters, times in seconds."""

from __future__ import annotations

# ---- reading an answer
MAX_ANSWER_CHARS = 8_000_000
MAX_ITEMS = 20_000  # per section
MAX_TEXT_CHARS = 400_000  # per text
MAX_TITLE_CHARS = 300

# ---- loop: contiguous repetition, measured on 650 clean documents and a looped report
BLOCK_MIN_TOKENS = 4
BLOCK_MAX_TOKENS = 80
LONG_BLOCK_MAX_TOKENS = 400
BLOCK_MIN_DISTINCT = 3
FLAG_REPEATS = 5
FLAG_LONG_REPEATS = 3
ABORT_REPEATS = 8  # while streaming
ABORT_LONG_REPEATS = 3
HOPELESS_REPEATS = 20  # no song does this
ZLIB_WINDOW = 2_000
ZLIB_STEP = 1_000
ZLIB_RATIO = 5.0
ZLIB_HOPELESS = 8.0  # near-copies reach 13 and more; tables in prose and API pages 5 to 6
TABLE_SHARE = 0.40  # more table rows than this: repetition says nothing
SAME_ITEM_TIMES = 6
SAME_ITEM_MIN_CHARS = 12
SAME_ITEM_TRANSCRIPT_SHARE = 0.30
SPEECH_WORDS_PER_S = 5.0  # faster than anybody speaks
SPEECH_HAN_PER_S = 9.0
SPEECH_MIN_BLOCK_S = 1.5

# ---- times
TIME_SLACK_S = 0.5  # past the end and still right
TIME_CLAMP_S = 2.0  # past the end and still mended; beyond it the item is dropped
BAD_ITEMS_SHARE = 0.10
INVERSIONS_SHARE = 0.02
INVENTED_MIN_ITEMS = 12
INVENTED_EQUAL_GAPS = 0.80
INVENTED_ROUND_TIMES = 0.60
INVENTED_ROUND_S = 30

# ---- coverage
COVER_END_S = 60.0
COVER_END_SHARE = 0.03
COVER_GAP_S = 120.0
COVER_GAP_SHARE = 0.08
COVER_FIFTHS_FROM_S = 300.0  # shorter videos may pass a fifth in silence
PARTIAL_SHARE = 0.20  # more of the video missing: rejected

# ---- seen: video tokens against the plan
SEEN_MIN = 0.5
SEEN_MAX = 1.6

# ---- completeness
SENTENCE_MIN_CHARS = 120

# ---- language
HAN_SHARE = 0.70
HAN_MIN_UNITS = 40  # Han characters and Latin words
LANGUAGE_MIN_CHARS = 200
SCRIPT_SHARE = 0.80
STOPWORD_LEAD = 2.0  # another language has this many times the stop words of the wanted one
STOPWORD_MIN = 12
VARIANT_MIN = 12  # characters that are only simplified or only traditional
VARIANT_SHARE = 0.70

# ---- seams between parts
SEAM_S = 15.0
SEAM_SIMILARITY = 0.80
SEAM_SIMILARITY_CJK = 0.85
SEGMENT_SLACK_S = 2.0
