// @ts-check
/**
 * The server's resources, as /api/openapi.json describes them.
 *
 * @typedef {{student_id: string, grade: string, class_name: string, number: string, name: string, kana: string}} Student
 * @typedef {{id: string, title: string, subject: string | null, date: string | null, max_points: string,
 *   question_count: number}} Exam
 * @typedef {"graded" | "partly_graded" | "ungraded" | "missing"} Grading
 * @typedef {{student: Student | null, sheet: string | null, grading: Grading, points: string | null,
 *   max_points: string, undecided: number | null, missing_pages: number[]}} Score
 * @typedef {"correct" | "partial" | "wrong" | "blank" | "doubtful" | "ungraded"} Outcome
 * @typedef {{id: string, section: string | null, kind: string, points: string, viewpoint: string | null,
 *   answer: string[], outcomes: Partial<Record<Outcome, number>>}} Question
 * @typedef {{number: number, sheet: string, student: Student | null, reading: string, confidence: number | null,
 *   outcome: Outcome, points: string | null, max_points: string, crop: string | null}} Answer
 * @typedef {{number: number, source: string, page: number, sheet: string | null, sheet_page: number | null,
 *   student: Student | null, status: string, reason: string, image: string | null}} Page
 */

/** What the server said went wrong; its message is a sentence for the teacher. */
export class ServerProblem extends Error {}

/** @returns {Promise<Exam>} */
export const fetchExam = () => fetchResource("api/exam");

/** @returns {Promise<Score[]>} */
export const fetchScores = () => fetchResource("api/scores");

/** @returns {Promise<Question[]>} */
export const fetchQuestions = () => fetchResource("api/questions");

/**
 * @param {string} questionId
 * @returns {Promise<Answer[]>}
 */
export const fetchAnswers = (questionId) => fetchResource(`api/questions/${encodeURIComponent(questionId)}/answers`);

/** @returns {Promise<Page[]>} */
export const fetchPages = () => fetchResource("api/pages");

/**
 * What was fetched already: a finished run doesn't change while its page is open.
 *
 * @type {Map<string, Promise<any>>}
 */
const fetched = new Map();

/**
 * @param {string} address
 * @returns {Promise<any>}
 */
function fetchResource(address) {
  let resource = fetched.get(address);
  if (resource === undefined) {
    resource = request(address);
    fetched.set(address, resource);
    resource.catch(() => fetched.delete(address));
  }
  return resource;
}

/**
 * @param {string} address
 * @returns {Promise<any>}
 */
async function request(address) {
  let response;
  try {
    response = await fetch(address, { headers: { "Accept-Language": document.documentElement.lang } });
  } catch {
    throw new ServerProblem("サーバーにつながりません。saiten が動いているか確かめて、画面を開き直してください。");
  }
  if (response.ok) {
    return response.json();
  }
  const problem = await response.json().catch(() => null);
  throw new ServerProblem(problem?.detail ?? "サーバーで誤りが起きました。画面を開き直してください。");
}
