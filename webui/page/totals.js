// @ts-check
import { element, figureList } from "./elements.js";
import { fetchScores } from "./resources.js";
import { classOf, compareAttendance, compareTexts, UNKNOWN_STUDENT } from "./terms.js";

/**
 * @typedef {import("./resources.js").Score} Score
 * @typedef {import("./resources.js").Student} Student
 *
 * A column by which the table can be sorted: scores without a value stay at the end either way.
 * @typedef {{title: string, numeric: boolean, has: (score: Score) => boolean,
 *   compare: (one: Score, other: Score) => number}} Column
 */

/** @type {Record<Score["grading"], string>} */
const GRADING_TERMS = {
  graded: "採点済み",
  partly_graded: "採点の途中",
  ungraded: "未採点",
  missing: "欠席・未提出",
};

/** @type {Column[]} */
const COLUMNS = [
  { title: "番号", numeric: false, ...byStudent(compareAttendance) },
  { title: "氏名", numeric: false, ...byStudent((one, other) => compareTexts(sortName(one), sortName(other))) },
  {
    title: "得点",
    numeric: true,
    has: (score) => score.points !== null,
    compare: (one, other) => Number(one.points) - Number(other.points),
  },
  {
    title: "未採点",
    numeric: true,
    has: (score) => score.undecided !== null,
    compare: (one, other) => (one.undecided ?? 0) - (other.undecided ?? 0),
  },
];

/** The totals (集計): every student with the score so far. */
export async function showTotals() {
  const scores = await fetchScores();
  const rows = new Map(scores.map((score) => [score, row(score)]));
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
  const sheets = scores.filter((score) => score.sheet !== null);
  const graded = sheets.filter((score) => score.grading === "graded").length;
  const undecided = sheets.reduce((sum, score) => sum + (score.undecided ?? 0), 0);
  return [
    ["答案", `${sheets.length}人分`],
    ["採点済み", `${graded}人分`],
    ["未採点の設問", `のべ ${undecided}問`],
    ["欠席・未提出", `${scores.length - sheets.length}人`],
  ];
}

/** @param {Score} score */
function row(score) {
  const { student } = score;
  return element(
    "tr",
    { class: score.grading },
    element(
      "td",
      {},
      student === null ? null : element("span", { class: "class" }, classOf(student)),
      " ",
      student?.number ?? "—",
    ),
    element("th", { scope: "row" }, student?.name ?? `${UNKNOWN_STUDENT}（${score.sheet}）`),
    element("td", { class: "numeric" }, ...pointsCell(score)),
    element("td", { class: "numeric" }, score.undecided === null ? "—" : `${score.undecided}問`),
    element("td", {}, state(score)),
  );
}

/**
 * 0点, 未採点 and 欠席・未提出 each look different.
 *
 * @param {Score} score
 * @returns {(Node | string)[]}
 */
function pointsCell(score) {
  if (score.grading === "missing") {
    return ["—"];
  }
  return [
    element("strong", {}, score.points ?? GRADING_TERMS.ungraded),
    element("span", { class: "maximum" }, ` / ${score.max_points}`),
  ];
}

/** @param {Score} score */
function state(score) {
  const pages = score.grading === "missing" ? [] : score.missing_pages;
  return GRADING_TERMS[score.grading] + (pages.length > 0 ? `（${pages.join("・")}ページ目がありません）` : "");
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
