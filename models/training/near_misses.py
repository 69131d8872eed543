"""Wrong answers that look or sound like the right one, as pupils write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.training.characters import CAPITALS, DIGITS, HIRAGANA, KATAKANA, LETTERS

if TYPE_CHECKING:
    from numpy.random import Generator

_LOOK_ALIKE = (
    "末未", "土士", "千干于", "人入八", "力刀", "大太犬", "木本", "日目白自", "田由甲申", "午牛", "間問聞開関", "待持特侍",
    "鳥島", "貝見具", "名各", "今令", "右石", "己已巳", "方万", "王玉主", "住往注柱", "時持寺", "倍培部", "幕墓暮募慕",
    "微徴", "徴懲", "復複腹", "険検験剣", "績積責", "側測則", "輪輸論", "輸輪", "清晴精請", "治冶", "律津", "緑縁", "網綱",
    "准準", "遣遺", "塊魂", "逐遂", "粉紛", "幣弊", "壁璧", "捨拾", "抑仰", "裁栽載", "萩荻", "崇祟", "孤弧狐", "侯候",
    "難離", "漁魚", "帯滞", "漢難", "講構購", "識織職", "適敵摘滴", "拠処", "製制", "成城盛", "政正", "藩幡", "鎌錬", "倉蔵",
    "義議儀", "権観勧歓", "栄労営", "季委秀", "径経軽", "郡群", "官管宮", "堂党常", "衛衝", "貸賃貨", "暑署", "若苦", "宣宜",
    "シツ", "ソン", "クタケ", "ワウフ", "スヌ", "チテ", "コユ", "ラヲ", "マム", "アマ", "ルレ", "サセ", "ナメ", "ロコ", "エユ",
    "はほ", "めぬ", "れわね", "るろ", "きさ", "ちら", "いり", "くへ", "こに", "たに", "けは", "まよ", "シミ", "パバハ", "ピビヒ",
    "プブフ", "ペベヘ", "ポボホ", "ガカ", "ギキ", "グク", "ダタ", "ジシ", "ドト", "ばぱは", "びぴひ", "ぶぷふ", "がか", "ぎき",
    "ぐく", "ざさ", "じし", "だた", "どと", "っつ", "ゃや", "ゅゆ", "ょよ", "ッツ", "ャヤ", "ュユ", "ョヨ",
    "ae", "ao", "nm", "nu", "uv", "il", "rn", "ce", "hn", "bd", "pq", "gq", "tf", "sz", "vy", "ij", "kh", "wv",
    "17", "49", "35", "08", "69", "27", "06", "58", "38",
)  # fmt: skip
_POOLS = (HIRAGANA, KATAKANA, CAPITALS, LETTERS, DIGITS)


def near_miss(text: str, joyo: str, random: Generator) -> str:
    """Another text that is easily taken for this one: a character of like shape, changed, left out, or two swapped.

    Args:
        text: the right answer.
        joyo: kanji to take strange ones from.
        random: source of chance.
    """
    for _ in range(50):
        found = _changed(text, joyo, random)
        if found and found != text:
            return found
    return text + text[-1]


def _changed(text: str, joyo: str, random: Generator) -> str:
    at = int(random.integers(len(text)))
    draw = random.random()
    if draw < 0.6:
        alike = "".join(group for group in _LOOK_ALIKE if text[at] in group).replace(text[at], "")
        if alike:
            return text[:at] + alike[int(random.integers(len(alike)))] + text[at + 1 :]
    if draw < 0.85:
        pool = next((pool for pool in _POOLS if text[at] in pool), joyo)
        return text[:at] + pool[int(random.integers(len(pool)))] + text[at + 1 :]
    if draw < 0.93 and len(text) > 1:
        return text[:at] + text[at + 1 :]
    if len(text) > 1:
        at = min(at, len(text) - 2)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return ""
