// @ts-check
import { element } from "./elements.js";
import { showPages } from "./pages.js";
import { showQuestion } from "./questions.js";
import { fetchExam, ServerProblem } from "./resources.js";
import { showTotals } from "./totals.js";

/**
 * The views by the first word of the address behind "#/"; the words that follow are handed on.
 *
 * @type {Record<string, (...words: (string | undefined)[]) => Promise<Node[]>>}
 */
const VIEWS = { totals: showTotals, questions: showQuestion, pages: showPages };

const place = /** @type {HTMLElement} */ (document.getElementById("view"));
let latest = 0;

async function showAddress() {
  if (location.hash !== "" && !location.hash.startsWith("#/")) {
    return; // a place within the view, from the link that skips the bar
  }
  const [wanted = "", ...words] = location.hash.replace(/^#\//, "").split("/").map(decode);
  const name = Object.hasOwn(VIEWS, wanted) ? wanted : "totals";
  markCurrent(name);
  const turn = ++latest;
  const shown = await (VIEWS[name] ?? showTotals)(...words).catch(problemNote);
  // A slow answer must not cover the view that was asked for after it.
  if (turn === latest) {
    replaceView(shown);
  }
}

/**
 * Put new content in place; where the reader stood in lists and with the keyboard is kept.
 *
 * @param {Node[]} content
 */
function replaceView(content) {
  const followed = document.activeElement;
  const listScroll = place.querySelector(".side")?.scrollTop ?? 0;
  const focusWasHere = followed !== null && place.contains(followed);
  place.replaceChildren(...content);
  window.scrollTo(0, 0);
  place.querySelector(".side")?.scrollTo(0, listScroll);
  const current = place.querySelector(".side [aria-current]");
  current?.scrollIntoView({ block: "nearest" });
  const next = focusWasHere ? (sameLink(followed) ?? current) : null;
  if (next instanceof HTMLElement) {
    next.focus();
  }
}

/**
 * The link in the new content that stands for the one that was followed.
 *
 * @param {Element} followed
 */
function sameLink(followed) {
  return [...place.querySelectorAll("a")].find(
    (link) =>
      link.getAttribute("href") === followed.getAttribute("href") &&
      link.closest("nav")?.className === followed.closest("nav")?.className,
  );
}

/** @param {string} word */
function decode(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** @param {string} name of the view */
function markCurrent(name) {
  for (const link of document.querySelectorAll("[data-view]")) {
    if (link.getAttribute("data-view") === name) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

/** @param {unknown} error */
function problemNote(error) {
  if (!(error instanceof ServerProblem)) {
    console.error(error);
  }
  const sentence =
    error instanceof ServerProblem ? error.message : "画面を作れませんでした。画面を開き直してください。";
  return [element("p", { class: "note", role: "alert" }, sentence)];
}

async function showTitle() {
  const exam = await fetchExam();
  document.title = `${exam.title} — 採点`;
  document.getElementById("title")?.replaceChildren(exam.title);
}

/**
 * Arrow keys follow the links that name them (previous and next question).
 *
 * @param {KeyboardEvent} event
 */
function followKey(event) {
  const typing = event.target instanceof HTMLInputElement;
  if (typing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  for (const link of document.querySelectorAll("[aria-keyshortcuts]")) {
    if (link.getAttribute("aria-keyshortcuts") === event.key && link instanceof HTMLElement) {
      event.preventDefault();
      link.click();
      return;
    }
  }
}

window.addEventListener("hashchange", showAddress);
document.addEventListener("keydown", followKey);
showTitle().catch(() => {}); // the view tells of the same trouble
showAddress();
