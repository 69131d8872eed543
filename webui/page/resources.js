// @ts-check
/**
 * The server's resources, as /api/openapi.json describes them.
 *
 * @typedef {{account: {login: string}, school: string, csrf_token: string, transport: string}} Session
 * @typedef {"preparing" | "grading" | "confirmed" | "returned"} ExamState
 * @typedef {{id: string, school_year: number, title: string, subject: string | null, date: string | null,
 *   max_points: string, state: ExamState}} ExamSummary
 * @typedef {{id: string, section: string | null, kind: string, points: string, viewpoint: string | null,
 *   answer: string[]}} Question
 * @typedef {ExamSummary & {exam: {questions: Question[]}}} Exam
 * @typedef {{id: string, grade: string, class_name: string, number: string, name: string, kana: string,
 *   attendance: string}} Student
 * @typedef {"proposed" | "blank" | "judged" | "ungraded" | "doubtful" | "held" | "half" | "different" | "outdated" |
 *   "twice" | "missing" | "absent"} Basis
 * @typedef {{student: Student | null, sheets: string[], total: {points: string | null, undecided: number},
 *   points: (string | null)[], basis: Basis[]}} Score
 * @typedef {{questions: {id: string, points: string}[], max_points: string, rows: Score[]}} ScoreTable
 * @typedef {{question: string, answers: number, doubtful: number}} QuestionCount
 * @typedef {{page: string, sheet: string, student: string | null, status: string, reading: string,
 *   atlas: number | null, x: number, y: number, w: number, h: number}} Answer
 * @typedef {{atlases: string[], answers: Answer[]}} AnswerIndex
 * @typedef {{id: string, file_name: string, number: number, part: number, state: string, status: string | null,
 *   reason: string, sheet_page: number | null, student: string | null, reading: string | null}} Page
 * @typedef {{kind: string, reason: string, page: Page | null, file: {name: string} | null}} Task
 * @typedef {{student: string, sheet_page: number, has_other_pages: boolean}} Missing
 */

/** What the server said went wrong; its message is a sentence for the teacher. */
export class ServerProblem extends Error {}

const MOST_PAGES = 500;
const MOST_SCORES = 2000;
const MOST_EXAMS = 200;

/** @returns {Promise<Session>} */
export const fetchSession = () => request("/api/session");

/** @param {Session} session */
export const endSession = (session) =>
  request("/api/session", { method: "DELETE", headers: { "X-CSRF-Token": session.csrf_token } });

/** @returns {Promise<ExamSummary[]>} */
export const fetchExams = () => fetchAll("/api/exams", "exams", "before", MOST_EXAMS);

/**
 * @param {string} exam
 * @returns {Promise<Exam>}
 */
export const fetchExam = (exam) => request(addressOf(exam));

/**
 * The scores of an exam, all rows of them.
 *
 * @param {string} exam
 * @returns {Promise<ScoreTable>}
 */
export async function fetchScores(exam) {
  const first = await request(`${addressOf(exam)}/scores?limit=${MOST_SCORES}`);
  const rows = [...first.rows];
  for (let { next } = first; next !== null; ) {
    const more = await request(`${addressOf(exam)}/scores?limit=${MOST_SCORES}&after=${next}`);
    rows.push(...more.rows);
    next = more.next;
  }
  return { ...first, rows };
}

/**
 * @param {string} exam
 * @returns {Promise<QuestionCount[]>}
 */
export const fetchQuestionCounts = async (exam) => (await request(`${addressOf(exam)}/questions`)).questions;

/**
 * The answers to a question, with the atlases that hold their pictures.
 *
 * @param {string} exam
 * @param {string} question
 * @returns {Promise<AnswerIndex>}
 */
export async function fetchAnswers(exam, question) {
  const index = await request(`${addressOf(exam)}/answers?question=${encodeURIComponent(question)}`);
  /** @type {string[]} */
  const columns = index.columns;
  const answers = index.rows.map((/** @type {unknown[]} */ row) =>
    Object.fromEntries(columns.map((column, at) => [column, row[at]])),
  );
  return { atlases: index.atlases, answers };
}

/**
 * @param {string} exam
 * @returns {Promise<Page[]>}
 */
export const fetchPages = (exam) => fetchAll(`${addressOf(exam)}/pages`, "pages", "after", MOST_PAGES);

/**
 * @param {string} exam
 * @returns {Promise<Task[]>}
 */
export const fetchTasks = (exam) => fetchCounted(`${addressOf(exam)}/tasks`, "tasks");

/**
 * @param {string} exam
 * @returns {Promise<Missing[]>}
 */
export const fetchMissing = (exam) => fetchCounted(`${addressOf(exam)}/missing`, "missing");

/**
 * The address of a page's picture.
 *
 * @param {string} exam
 * @param {Page} page
 * @param {"thumbnail" | "full"} size
 */
export const pictureOf = (exam, page, size) =>
  `${addressOf(exam)}/pages/${page.id}/image?size=${size}${page.reading === null ? "" : `&reading=${page.reading}`}`;

/** @param {string} atlas */
export const atlasAddress = (atlas) => `/api/atlases/${atlas}.jpg`;

/** @param {string} exam */
const addressOf = (exam) => `/api/exams/${encodeURIComponent(exam)}`;

/**
 * A whole list that comes in parts, each of which names what the next one is to be asked for.
 *
 * @param {string} address
 * @param {string} name of the list
 * @param {string} from what the next part is asked for as
 * @param {number} limit
 * @returns {Promise<any[]>}
 */
async function fetchAll(address, name, from, limit) {
  const found = [];
  for (let next = ""; ; ) {
    const part = await request(`${address}?limit=${limit}${next === "" ? "" : `&${from}=${next}`}`);
    found.push(...part[name]);
    if (part.next === null) {
      return found;
    }
    next = part.next;
  }
}

/**
 * A whole list of which each part tells how many there are.
 *
 * @param {string} address
 * @param {string} name of the list
 * @returns {Promise<any[]>}
 */
async function fetchCounted(address, name) {
  const found = [];
  for (;;) {
    const part = await request(`${address}?limit=${MOST_PAGES}&offset=${found.length}`);
    found.push(...part[name]);
    if (found.length >= part.total || part[name].length === 0) {
      return found;
    }
  }
}

/**
 * @param {string} address
 * @param {RequestInit} [more]
 * @returns {Promise<any>}
 */
async function request(address, more = {}) {
  let response;
  try {
    const headers = { "Accept-Language": document.documentElement.lang, ...more.headers };
    response = await fetch(address, { ...more, headers });
  } catch {
    throw new ServerProblem("サーバーにつながりません。saiten が動いているか確かめて、画面を開き直してください。");
  }
  if (response.ok) {
    return response.status === 204 ? null : response.json();
  }
  const problem = await response.json().catch(() => null);
  if (problem?.refusal === "not_signed_in") {
    location.replace("/signin");
  }
  throw new ServerProblem(problem?.detail ?? "サーバーで誤りが起きました。画面を開き直してください。");
}
