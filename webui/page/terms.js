// @ts-check
/**
 * The words that a teacher reads.
 *
 * @typedef {import("./standing.js").Outcome} Outcome
 * @typedef {import("./standing.js").Grading} Grading
 * @typedef {import("./resources.js").ExamState} ExamState
 * @typedef {import("./resources.js").Student} Student
 */

/** @type {Outcome[]} */
export const OUTCOMES = ["correct", "partial", "wrong", "blank", "doubtful", "held", "unsettled", "ungraded"];

/**
 * The sign of an outcome and its word; the sign carries the meaning without colour.
 *
 * @type {Record<Outcome, {sign: string, word: string}>}
 */
export const OUTCOME_TERMS = {
  correct: { sign: "○", word: "正解" },
  partial: { sign: "△", word: "部分点" },
  wrong: { sign: "×", word: "不正解" },
  blank: { sign: "空欄", word: "空欄" },
  doubtful: { sign: "要確認", word: "要確認" },
  held: { sign: "保留", word: "保留" },
  unsettled: { sign: "再確認", word: "再確認" },
  ungraded: { sign: "未採点", word: "未採点" },
};

/** @type {Record<Grading, string>} */
export const GRADING_TERMS = {
  graded: "採点済み",
  partly_graded: "採点の途中",
  ungraded: "未採点",
  not_sat: "未受験",
  missing: "欠席・未提出",
};

/** @type {Record<string, string>} */
export const ATTENDANCE_TERMS = { absent: "欠席", excused: "公欠", later: "後日受験", elsewhere: "別室" };

/** @type {Record<ExamState, string>} */
export const STATE_TERMS = { preparing: "準備", grading: "採点中", confirmed: "確定", returned: "返却" };

/** @type {Record<string, string>} */
export const KIND_TERMS = {
  choice: "選択（マーク）",
  symbol: "記号",
  number: "数値",
  text: "語句",
  essay: "記述",
  drawing: "作図",
};

/** The word for a sheet whose student is not known. */
export const UNKNOWN_STUDENT = "生徒不明";

/**
 * @param {string} text
 * @param {string} suffix
 */
const withSuffix = (text, suffix) => (text === "" || text.endsWith(suffix) ? text : text + suffix);

/**
 * 学年と組: "2年1組".
 *
 * @param {Student} student
 */
export const classOf = (student) => withSuffix(student.grade, "年") + withSuffix(student.class_name, "組");

/**
 * 出席番号と氏名 in one line.
 *
 * @param {Student | null} student
 * @param {string | null} sheet shown where the student is not known
 */
export function nameOf(student, sheet) {
  if (student === null) {
    return sheet === null ? UNKNOWN_STUDENT : `${UNKNOWN_STUDENT}（${sheet}）`;
  }
  return `${withSuffix(student.number, "番")} ${student.name}`;
}

/**
 * Order of attendance: by grade, class and number, numbers by value; those who are not known come last.
 *
 * @param {Student | null} one
 * @param {Student | null} other
 */
export function compareAttendance(one, other) {
  if (one === null || other === null) {
    return Number(one === null) - Number(other === null);
  }
  return (
    compareTexts(one.grade, other.grade) ||
    compareTexts(one.class_name, other.class_name) ||
    compareTexts(one.number, other.number)
  );
}

const collator = new Intl.Collator("ja", { numeric: true });

/**
 * @param {string} one
 * @param {string} other
 */
export const compareTexts = (one, other) => collator.compare(one, other);
