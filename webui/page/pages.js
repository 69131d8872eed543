// @ts-check
import { element, noPicture, picture } from "./elements.js";
import { fetchMissing, fetchPages, fetchScores, fetchTasks, pictureOf } from "./resources.js";
import { missingByStudent } from "./standing.js";
import { classOf, nameOf } from "./terms.js";

/**
 * @typedef {import("./resources.js").Missing} Missing
 * @typedef {import("./resources.js").Page} Page
 * @typedef {import("./resources.js").Student} Student
 *
 * A page, or a whole file that could not be opened, and what is to be said of it.
 * @typedef {{status: string, place: string, reason: string, isToDo: boolean, page: Page | null,
 *   owner: Student | null}} Item
 */

const SET_ASIDE = "quarantined";

/** What became of the pages, those first that need a person. */
const GROUPS = [
  {
    title: "とりおき（読み取れなかったページ）",
    holds: (/** @type {Item} */ item) => item.status === SET_ASIDE,
    /** shown large, with the reason beside the picture */ wide: true,
  },
  {
    title: "確かめるページ",
    holds: (/** @type {Item} */ item) => item.status === "read" && (item.isToDo || item.reason !== ""),
    wide: true,
  },
  { title: "読み取りを待っているページ", holds: (/** @type {Item} */ item) => item.status === "waiting", wide: false },
  { title: "重複したページ", holds: (/** @type {Item} */ item) => item.status === "duplicate", wide: true },
  { title: "除いたページ", holds: (/** @type {Item} */ item) => item.status === "dropped", wide: true },
  { title: "白紙のページ", holds: (/** @type {Item} */ item) => item.status === "blank", wide: false },
  {
    title: "読み取ったページ",
    holds: (/** @type {Item} */ item) => item.status === "read" && !item.isToDo && item.reason === "",
    wide: false,
  },
];

/**
 * The reading (読み取り): every page of the scans and what became of it.
 *
 * @param {string} exam
 */
export async function showPages(exam) {
  const [pages, tasks, missing, scores] = await Promise.all([
    fetchPages(exam),
    fetchTasks(exam),
    fetchMissing(exam),
    fetchScores(exam),
  ]);
  const students = new Map(scores.rows.flatMap(({ student }) => (student === null ? [] : [[student.id, student]])));
  const toDo = new Map(tasks.map((task) => [task.page?.id, task.reason]));
  const refused = tasks.flatMap(({ file, reason }) => (file === null ? [] : [refusedFile(file.name, reason)]));
  const items = [...refused, ...pages.map((page) => itemOf(page, toDo.get(page.id), students))];
  return [
    element("p", { class: "lead" }, summary(items)),
    ...GROUPS.slice(0, 1).map((group) => section(exam, group, items)),
    missingPages(missing, students),
    ...GROUPS.slice(1).map((group) => section(exam, group, items)),
  ].filter((part) => part !== null);
}

/**
 * @param {string} name
 * @param {string} reason
 * @returns {Item}
 */
const refusedFile = (name, reason) => ({
  status: SET_ASIDE,
  place: name,
  reason,
  isToDo: true,
  page: null,
  owner: null,
});

/**
 * @param {Page} page
 * @param {string | undefined} toDo what a person must do about it
 * @param {Map<string, Student>} students
 * @returns {Item}
 */
function itemOf(page, toDo, students) {
  const half = page.part === 0 ? "" : `（${page.part}枚目）`;
  return {
    status: page.state === "waiting" ? "waiting" : (page.status ?? "waiting"),
    place: `${page.file_name} の${page.number}ページ目${half}`,
    reason: toDo ?? page.reason,
    isToDo: toDo !== undefined,
    page,
    owner: students.get(page.student ?? "") ?? null,
  };
}

/** @param {Item[]} items */
function summary(items) {
  const count = (/** @type {string} */ status) => items.filter((item) => item.status === status).length;
  const others = [
    [count("blank"), "ページは白紙"],
    [count("duplicate"), "ページは重複"],
    [count("dropped"), "ページは除外"],
    [count("waiting"), "ページは読み取り待ち"],
    [count(SET_ASIDE), "ページは読み取れず、とりおきました"],
  ]
    .filter(([number]) => number !== 0)
    .map(([number, words]) => `${number}${words}`);
  const read = `${items.length}ページのうち ${count("read")}ページを読み取りました。`;
  return others.length === 0 ? read : `${read}${others.join("、")}。`;
}

/**
 * @param {string} exam
 * @param {typeof GROUPS[number]} group
 * @param {Item[]} items
 */
function section(exam, { title, holds, wide }, items) {
  const held = items.filter(holds);
  if (held.length === 0) {
    return null;
  }
  return element(
    "section",
    {},
    element("h2", {}, title, element("span", { class: "amount" }, `${held.length}ページ`)),
    element("ul", { class: wide ? "pages wide" : "pages" }, ...held.map((item) => listItem(exam, item))),
  );
}

/**
 * @param {string} exam
 * @param {Item} item
 */
function listItem(exam, { status, place, reason, page, owner }) {
  return element(
    "li",
    { class: status },
    page === null ? noPicture("画像なし") : pageLink(exam, page, place),
    element(
      "div",
      {},
      reason === "" ? null : element("p", { class: "reason" }, reason),
      owner === null ? null : element("p", { class: "owner" }, nameOf(owner, null)),
      !page?.sheet_page ? null : element("p", { class: "owner" }, `解答用紙 ${page.sheet_page}ページ目`),
      element("p", { class: "name" }, place),
    ),
  );
}

/**
 * @param {string} exam
 * @param {Page} page
 * @param {string} place
 */
const pageLink = (exam, page, place) =>
  element(
    "a",
    {
      href: pictureOf(exam, page, "full"),
      target: "_blank",
      rel: "noopener",
      "aria-label": `${place} を大きく開く（新しいタブ）`,
    },
    picture(pictureOf(exam, page, "thumbnail"), place),
  );

/**
 * Pages that no scan brought.
 *
 * @param {Missing[]} missing
 * @param {Map<string, Student>} students
 */
function missingPages(missing, students) {
  const items = [...missingByStudent(missing)].map(([id, pages]) => {
    const student = students.get(id) ?? null;
    const who = student === null ? nameOf(null, null) : `${classOf(student)} ${nameOf(student, null)}`;
    const what = pages.some((page) => page.has_other_pages)
      ? `${pages.map((page) => page.sheet_page).join("・")}ページ目がありません`
      : "答案がありません（欠席・未提出）";
    return element("li", {}, `${who} — ${what}`);
  });
  if (items.length === 0) {
    return null;
  }
  return element(
    "section",
    {},
    element("h2", {}, "スキャンにないページ", element("span", { class: "amount" }, `${items.length}人`)),
    element("ul", { class: "plain" }, ...items),
  );
}
