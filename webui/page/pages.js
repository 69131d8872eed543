// @ts-check
import { element, noPicture, picture } from "./elements.js";
import { fetchPages, fetchScores } from "./resources.js";
import { classOf, nameOf } from "./terms.js";

/**
 * @typedef {import("./resources.js").Page} Page
 * @typedef {import("./resources.js").Score} Score
 */

/** What became of the pages, those first that need a person. */
const GROUPS = [
  {
    title: "とりおき（読み取れなかったページ）",
    holds: (/** @type {Page} */ page) => page.status === "quarantined",
    /** shown large, with the reason beside the picture */ wide: true,
  },
  {
    title: "確かめるページ",
    holds: (/** @type {Page} */ page) => page.status === "read" && page.reason !== "",
    wide: true,
  },
  { title: "重複したページ", holds: (/** @type {Page} */ page) => page.status === "duplicate", wide: true },
  { title: "白紙のページ", holds: (/** @type {Page} */ page) => page.status === "blank", wide: false },
  {
    title: "読み取ったページ",
    holds: (/** @type {Page} */ page) => page.status === "read" && page.reason === "",
    wide: false,
  },
];

/** The reading (読み取り): every page of the scans and what became of it. */
export async function showPages() {
  const [pages, scores] = await Promise.all([fetchPages(), fetchScores()]);
  return [
    element("p", { class: "lead" }, summary(pages)),
    ...GROUPS.slice(0, 1).map((group) => section(group, pages)),
    missingPages(scores),
    ...GROUPS.slice(1).map((group) => section(group, pages)),
  ].filter((part) => part !== null);
}

/** @param {Page[]} pages */
function summary(pages) {
  const count = (/** @type {string} */ status) => pages.filter((page) => page.status === status).length;
  const others = [
    [count("blank"), "ページは白紙"],
    [count("duplicate"), "ページは重複"],
    [count("quarantined"), "ページは読み取れず、とりおきました"],
  ]
    .filter(([number]) => number !== 0)
    .map(([number, words]) => `${number}${words}`);
  const read = `${pages.length}ページのうち ${count("read")}ページを読み取りました。`;
  return others.length === 0 ? read : `${read}${others.join("、")}。`;
}

/**
 * @param {typeof GROUPS[number]} group
 * @param {Page[]} pages
 */
function section({ title, holds, wide }, pages) {
  const held = pages.filter(holds);
  if (held.length === 0) {
    return null;
  }
  return element(
    "section",
    {},
    element("h2", {}, title, element("span", { class: "amount" }, `${held.length}ページ`)),
    element("ul", { class: wide ? "pages wide" : "pages" }, ...held.map(pageItem)),
  );
}

/** @param {Page} page */
function pageItem(page) {
  const place = page.page === 0 ? page.source : `${page.source} の${page.page}ページ目`;
  return element(
    "li",
    { class: page.status },
    page.image === null ? noPicture("画像なし") : pageLink(page.image, place),
    element(
      "div",
      {},
      page.reason === "" ? null : element("p", { class: "reason" }, page.reason),
      page.student === null ? null : element("p", { class: "owner" }, nameOf(page.student, null)),
      page.sheet_page === null ? null : element("p", { class: "owner" }, `解答用紙 ${page.sheet_page}ページ目`),
      element("p", { class: "name" }, place),
    ),
  );
}

/**
 * @param {string} image
 * @param {string} place
 */
const pageLink = (image, place) =>
  element(
    "a",
    { href: image, target: "_blank", rel: "noopener", "aria-label": `${place} を大きく開く（新しいタブ）` },
    picture(`${image}?size=thumbnail`, place),
  );

/**
 * Pages that no scan brought.
 *
 * @param {Score[]} scores
 */
function missingPages(scores) {
  const items = scores
    .filter((score) => score.student !== null && (score.missing_pages.length > 0 || score.grading === "missing"))
    .map((score) => {
      const who = score.student === null ? "" : `${classOf(score.student)} ${nameOf(score.student, null)}`;
      const what =
        score.grading === "missing"
          ? "答案がありません（欠席・未提出）"
          : `${score.missing_pages.join("・")}ページ目がありません`;
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
