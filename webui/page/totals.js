// @ts-check
import { element, figureList } from "./elements.js";
import { fetchMissing, fetchScores } from "./resources.js";
import { gradingOf, missingByStudent } from "./standing.js";
import { ATTENDANCE_TERMS, classOf, compareAttendance, compareTexts, GRADING_TERMS, UNKNOWN_STUDENT } from "./terms.js";

/**
 * @typedef {import("./resources.js").Score} Score
 * @typedef {import("./resources.js").Student} Student
 * @typedef {import("./standing.js").Grading} Grading
 *
 * A column by which the table can be sorted: scores without a value stay at the end either way.
 * @typedef {{title: string, numeric: boolean, has: (score: Score) => boolean,
 *   compare: (one: Score, other: Score) => number}} Column
 */

/** A sum over nothing is no 0点. @type {Set<Grading>} */
const HAS_POINTS = new Set(["graded", "partly_graded"]);

/** @type {Column[]} */
const COLUMNS = [
  { title: "番号", numeric: false, ...byStudent(compareAttendance) },
  { title: "氏名", numeric: false, ...byStudent((one, other) => compareTexts(sortName(one), sortName(other))) },
  {
    title: "得点",
    numeric: true,
    has: (score) => HAS_POINTS.has(gradingOf(score)),
    compare: (one, other) => Number(one.total.points) - Number(other.total.points),
  },
  {
    title: "未採点",
    numeric: true,
    has: (score) => score.sheets.length > 0,
    compare: (one, other) => one.total.undecided - other.total.undecided,
  },
];

/**
 * The totals (集計): every student with the score so far.
 *
 * @param {string} exam
 */
export async function showTotals(exam) {
  const [table, missing] = await Promise.all([fetchScores(exam), fetchMissing(exam)]);
  const scores = table.rows;
  const missingOf = missingByStudent(missing);
  const rows = new Map(
    scores.map((score) => {
      const pages = (missingOf.get(score.student?.id ?? "") ?? []).map((each) => each.sheet_page);
      return [score, row(score, table.max_points, pages)];
    }),
  );
  const body = element("tbody", {}, ...rows.values());
  const headers = COLUMNS.map((column) => {
    const button = element("button", { type: "button" }, column.title);
    const header = element("th", { scope: "col", class: column.numeric ? "numeric" : null }, button);
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      headers.forEach((each) => each.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      body.append(...sorted([...rows.keys()], column, descending).map((score) => rows.get(score) ?? ""));
    });
    return header;
  });
  const head = element("thead", {}, element("tr", {}, ...headers, element("th", { scope: "col" }, "状態")));
  const caption = element("caption", { class: "unseen" }, "得点の一覧（見出しを押すと並べ替えます）");
  return [figureList(figures(scores)), element("table", { class: "totals" }, caption, head, body)];
}

/**
 * @param {Score[]} scores
 * @returns {[string, string][]}
 */
function figures(scores) {
  const sheets = scores.filter((score) => score.sheets.length > 0);
  const graded = sheets.filter((score) => gradingOf(score) === "graded").length;
  const undecided = sheets.reduce((sum, score) => sum + score.total.undecided, 0);
  return [
    ["答案", `${sheets.length}人分`],
    ["採点済み", `${graded}人分`],
    ["未採点の設問", `のべ ${undecided}問`],
    ["欠席・未提出", `${scores.length - sheets.length}人`],
  ];
}

/**
 * @param {Score} score
 * @param {string} maximum
 * @param {number[]} missingPages
 */
function row(score, maximum, missingPages) {
  const { student } = score;
  return element(
    "tr",
    { class: gradingOf(score) },
    element(
      "td",
      {},
      student === null ? null : element("span", { class: "class" }, classOf(student)),
      " ",
      student?.number ?? "—",
    ),
    element("th", { scope: "row" }, student?.name ?? `${UNKNOWN_STUDENT}（${score.sheets[0]}）`),
    element("td", { class: "numeric" }, ...pointsCell(score, maximum)),
    element("td", { class: "numeric" }, score.sheets.length === 0 ? "—" : `${score.total.undecided}問`),
    element("td", {}, state(score, missingPages)),
  );
}

/**
 * 0点, 未採点, 未受験 and 欠席・未提出 each look different.
 *
 * @param {Score} score
 * @param {string} maximum
 * @returns {(Node | string)[]}
 */
function pointsCell(score, maximum) {
  const grading = gradingOf(score);
  if (grading === "missing" || grading === "not_sat") {
    return ["—"];
  }
  return [
    element("strong", {}, HAS_POINTS.has(grading) ? score.total.points : GRADING_TERMS.ungraded),
    element("span", { class: "maximum" }, ` / ${maximum}`),
  ];
}

/**
 * @param {Score} score
 * @param {number[]} missingPages
 */
function state(score, missingPages) {
  const said = ATTENDANCE_TERMS[score.student?.attendance ?? ""];
  const pages = score.sheets.length === 0 ? [] : missingPages;
  const more = [said, pages.length > 0 ? `${pages.join("・")}ページ目がありません` : undefined].filter(Boolean);
  return GRADING_TERMS[gradingOf(score)] + (more.length > 0 ? `（${more.join("、")}）` : "");
}

/**
 * @param {Score[]} scores
 * @param {Column} column
 * @param {boolean} descending
 */
function sorted(scores, column, descending) {
  const direction = descending ? -1 : 1;
  const present = scores.filter(column.has).sort((one, other) => direction * column.compare(one, other));
  return [...present, ...scores.filter((score) => !column.has(score))];
}

/**
 * @param {(one: Student, other: Student) => number} compare
 * @returns {Pick<Column, "has" | "compare">}
 */
function byStudent(compare) {
  return {
    has: (score) => score.student !== null,
    compare: (one, other) => (one.student && other.student ? compare(one.student, other.student) : 0),
  };
}

/** @param {Student} student */
function sortName(student) {
  return student.kana || student.name;
}
