"""The units (単位) that an answer may carry, and their other spellings."""

from __future__ import annotations

from functools import cache

from ocr.character_forms import paper_form

_WITH_OTHER_SPELLINGS = """
mm ミリメートル ミリ
cm センチメートル センチ
m メートル
km キロメートル キロ
nm ナノメートル
μm マイクロメートル
mm² mm2 平方ミリメートル
cm² cm2 平方センチメートル
m² m2 平方メートル
km² km2 平方キロメートル
a アール
ha ヘクタール
mm³ mm3 立方ミリメートル
cm³ cm3 cc 立方センチメートル
m³ m3 立方メートル
mL ml ミリリットル
dL dl デシリットル
L l リットル
kL kl キロリットル
mg ミリグラム
g グラム
kg キログラム
t トン
秒 s sec
分 min
時間 h
か月 カ月 ケ月 箇月
か国 カ国 ケ国 箇国
か所 カ所 ケ所 箇所
か年 カ年 ケ年 箇年
cm/s cm/秒 センチメートル毎秒
m/s m/秒 メートル毎秒
km/s km/秒 キロメートル毎秒
m/min m/分 メートル毎分
km/min km/分
km/h km/時 キロメートル毎時
m/s² m/s2
g/cm³ g/cm3
kg/m³ kg/m3
g/L g/l
g/mL g/ml
mol/L mol/l
人/km² 人/km2
円 yen
ドル $
% パーセント
° 度
℃ 度C
個 コ こ ケ
N ニュートン
Pa パスカル
hPa ヘクトパスカル
J ジュール
V ボルト
A アンペア
W ワット
Ω オーム
Hz ヘルツ
mol モル
K ケルビン
"""
_ONE_SPELLING = """
kPa N/m N/m² N/cm² kJ cal kcal J/g kW Wh kWh mV mA kΩ kHz MHz dB eV Bq Sv bit B kB MB GB ‰
人 名 本 枚 冊 台 匹 頭 羽 回 倍 割 歳 才 年 年間 月 日 日間 週間 時 世紀 年生 円玉
点 通り 組 票 社 校 件 軒 戸 つ 字 文字 行 語 段落 ページ 頁 番 番目 班 位 号 階 周 杯 箱 袋 束 セット ダース
"""


def unit_name(text: str) -> str | None:
    """The usual spelling of a unit: センチメートル → cm; None for what is no unit in this list.

    Args:
        text: in `paper_form`, without spaces.
    """
    return _names().get(text)


def short_unit_names(name: str) -> tuple[str, ...]:
    """Other spellings of a unit that a pupil in a hurry may write: ° → 度, 時間 → h."""
    short = [
        spelling for spelling, usual in _names().items() if usual == name != spelling and len(spelling) <= 3
    ]
    return tuple(one for one in short if not any(map(str.isdecimal, one)))


@cache
def _names() -> dict[str, str]:
    rows = [row.split() for row in _WITH_OTHER_SPELLINGS.strip().splitlines()]
    rows += [[one] for one in _ONE_SPELLING.split()]
    return {paper_form(spelling): paper_form(row[0]) for row in rows for spelling in row}
