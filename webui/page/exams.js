// @ts-check
import { element } from "./elements.js";
import { fetchExams } from "./resources.js";
import { STATE_TERMS } from "./terms.js";

/** @typedef {import("./resources.js").ExamSummary} ExamSummary */

const COLUMNS = ["試験", "教科", "日付", "満点", "状態"];

/** The exams (試験), the newest first. */
export async function showExams() {
  const exams = await fetchExams();
  if (exams.length === 0) {
    return [element("p", { class: "note" }, "試験はまだありません。")];
  }
  const headers = COLUMNS.map((title) =>
    element("th", { scope: "col", class: title === "満点" ? "numeric" : null }, title),
  );
  const head = element("thead", {}, element("tr", {}, ...headers));
  const caption = element("caption", { class: "unseen" }, "試験の一覧");
  return [
    element("h2", { class: "view-title" }, "試験の一覧"),
    element("table", { class: "listing" }, caption, head, element("tbody", {}, ...exams.map(row))),
  ];
}

/** @param {ExamSummary} exam */
const row = (exam) =>
  element(
    "tr",
    {},
    element("th", { scope: "row" }, element("a", { href: `#/${exam.id}/totals` }, exam.title)),
    element("td", {}, exam.subject ?? "—"),
    element("td", {}, exam.date?.replaceAll("-", "/") ?? "—"),
    element("td", { class: "numeric" }, `${exam.max_points}点`),
    element("td", {}, STATE_TERMS[exam.state]),
  );
