// @ts-check
/**
 * How answers and students stand, by what the server computed: nothing is scored here.
 *
 * @typedef {import("./resources.js").Basis} Basis
 * @typedef {import("./resources.js").Missing} Missing
 * @typedef {import("./resources.js").Score} Score
 * @typedef {import("./resources.js").ScoreTable} ScoreTable
 *
 * @typedef {"correct" | "partial" | "wrong" | "blank" | "doubtful" | "ungraded" | "held" | "unsettled"} Outcome
 * @typedef {{outcome: Outcome, points: string | null}} Standing
 * @typedef {"graded" | "partly_graded" | "ungraded" | "not_sat" | "missing"} Grading
 */

/** @type {Partial<Record<Basis, Outcome>>} */
const WITHOUT_POINTS = { blank: "blank", doubtful: "doubtful", ungraded: "ungraded", held: "held" };

/**
 * How far a student's exam is scored. Who did not sit it (未受験) and whose sheet is not there have no points, which is
 * neither 0点 nor 未採点.
 *
 * @param {Score} score
 * @returns {Grading}
 */
export function gradingOf(score) {
  if (score.total.points === null) {
    return "not_sat";
  }
  if (score.sheets.length === 0) {
    return "missing";
  }
  if (score.total.undecided === 0) {
    return "graded";
  }
  return score.total.undecided < score.basis.length ? "partly_graded" : "ungraded";
}

/**
 * How the answers to a question stand: of a student's row, or of a sheet of nobody.
 *
 * @param {ScoreTable} table
 * @param {string} question
 * @returns {(answer: {student: string | null, sheet: string}) => Standing}
 */
export function standingsOf(table, question) {
  const column = table.questions.findIndex((each) => each.id === question);
  const maximum = table.questions[column]?.points ?? "0";
  /** @type {Map<string | undefined, Standing>} */
  const standings = new Map();
  for (const row of table.rows) {
    const standing = standingOf(row.basis[column], row.points[column] ?? null, maximum);
    standings.set(row.student === null ? row.sheets[0] : row.student.id, standing);
  }
  return ({ student, sheet }) => standings.get(student ?? sheet) ?? { outcome: "unsettled", points: null };
}

/**
 * @param {Basis | undefined} basis
 * @param {string | null} points
 * @param {string} maximum
 * @returns {Standing}
 */
function standingOf(basis, points, maximum) {
  if (basis === "proposed" || basis === "judged") {
    return { outcome: byPoints(Number(points), Number(maximum)), points };
  }
  return { outcome: (basis && WITHOUT_POINTS[basis]) ?? "unsettled", points };
}

/**
 * @param {number} points
 * @param {number} maximum
 * @returns {Outcome}
 */
function byPoints(points, maximum) {
  if (maximum === 0) {
    return "ungraded"; // a question worth nothing shows neither ○ nor × by its points
  }
  if (points === maximum) {
    return "correct";
  }
  return points === 0 ? "wrong" : "partial";
}

/**
 * The missing pages of each student, by the student's row.
 *
 * @param {Missing[]} missing
 */
export function missingByStudent(missing) {
  /** @type {Map<string, Missing[]>} */
  const found = new Map();
  for (const page of missing) {
    found.set(page.student, [...(found.get(page.student) ?? []), page]);
  }
  return found;
}
