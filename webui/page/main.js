// @ts-check
import { element } from "./elements.js";
import { showExams } from "./exams.js";
import { showPages } from "./pages.js";
import { showQuestion } from "./questions.js";
import { endSession, fetchExam, fetchExams, fetchSession, ServerProblem } from "./resources.js";
import { showTotals } from "./totals.js";

/**
 * The views of an exam by the word behind its id in the address, "#/EXAM/WORD"; the words that follow are handed on.
 *
 * @type {Record<string, (exam: string, ...words: (string | undefined)[]) => Promise<Node[]>>}
 */
const VIEWS = { totals: showTotals, questions: showQuestion, pages: showPages };
const EXAM_LIST = "exams";

const place = /** @type {HTMLElement} */ (document.getElementById("view"));
const title = /** @type {HTMLElement} */ (document.getElementById("title"));
let latest = 0;

async function showAddress() {
  if (location.hash !== "" && !location.hash.startsWith("#/")) {
    return; // a place within the view, from the link that skips the bar
  }
  const [first = "", ...words] = location.hash.replace(/^#\//, "").split("/").map(decode);
  const turn = ++latest;
  const shown = await viewOf(first, words).catch(problemNote);
  // A slow answer must not cover the view that was asked for after it.
  if (turn === latest && shown !== null) {
    replaceView(shown);
  }
}

/**
 * What the address asks for; null where it leads on to another one.
 *
 * @param {string} exam
 * @param {string[]} words
 */
async function viewOf(exam, [wanted = "", ...words]) {
  if (exam === "") {
    const [only, ...others] = await fetchExams();
    location.replace(only !== undefined && others.length === 0 ? `#/${only.id}/totals` : `#/${EXAM_LIST}`);
    return null;
  }
  if (exam === EXAM_LIST) {
    showTitle(null);
    markCurrent(null, EXAM_LIST);
    return showExams();
  }
  const name = Object.hasOwn(VIEWS, wanted) ? wanted : "totals";
  markCurrent(exam, name);
  const [view, stored] = await Promise.all([(VIEWS[name] ?? showTotals)(exam, ...words), fetchExam(exam)]);
  showTitle(stored.title);
  return view;
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

/**
 * Let the bar lead to the views of an exam, and say which one is shown.
 *
 * @param {string | null} exam
 * @param {string} name of the view
 */
function markCurrent(exam, name) {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("[data-view]"))) {
    const view = link.dataset["view"];
    if (view !== EXAM_LIST) {
      link.hidden = exam === null;
      link.href = `#/${exam}/${view}`;
    }
    if (view === name) {
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

/** @param {string | null} exam its title */
function showTitle(exam) {
  document.title = exam === null ? "採点" : `${exam} — 採点`;
  title.replaceChildren(exam ?? "採点");
}

/** Who is signed in, the way out, and a warning where anybody on the network can read along. */
async function showSession() {
  const session = await fetchSession();
  document.getElementById("who")?.replaceChildren(`${session.school}　${session.account.login}`);
  const leave = /** @type {HTMLButtonElement} */ (document.getElementById("leave"));
  leave.hidden = false;
  leave.addEventListener("click", async () => {
    await endSession(session);
    location.replace("/signin");
  });
  if (session.transport === "plain") {
    /** @type {HTMLElement} */ (document.getElementById("plain")).hidden = false;
  }
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
showSession().catch(() => {}); // the view tells of the same trouble
showAddress();
