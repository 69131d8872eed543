// @ts-check
import { element, figureList, noPicture, picture } from "./elements.js";
import { fetchAnswers, fetchQuestions, fetchScores } from "./resources.js";
import { compareAttendance, KIND_TERMS, nameOf, OUTCOMES, OUTCOME_TERMS } from "./terms.js";

/**
 * @typedef {import("./resources.js").Answer} Answer
 * @typedef {import("./resources.js").Outcome} Outcome
 * @typedef {import("./resources.js").Question} Question
 * @typedef {import("./resources.js").Score} Score
 */

const TILE_WIDTH = { smallest: 120, usual: 220, largest: 720 };
const TILE_WIDTH_KEY = "saiten.tile-width";

/**
 * The questions (設問): all answers to one of them, side by side.
 *
 * @param {string | undefined} questionId the first question if undefined
 * @param {string | undefined} filter an outcome; all answers if undefined
 */
export async function showQuestion(questionId, filter) {
  const questions = await fetchQuestions();
  const question = questions.find((each) => each.id === questionId) ?? questions[0];
  if (question === undefined) {
    return [element("p", { class: "note" }, "この試験には設問がありません。")];
  }
  const [answers, scores] = await Promise.all([fetchAnswers(question.id), fetchScores()]);
  const outcome = OUTCOMES.find((each) => each === filter);
  const shown = answers
    .filter((answer) => outcome === undefined || answer.outcome === outcome)
    .sort((one, other) => compareAttendance(one.student, other.student));
  const tiles = element("ul", { class: "tiles", "aria-label": "解答欄の一覧" }, ...shown.map(tile));
  return [
    element(
      "div",
      { class: "with-side" },
      questionList(questions, question, outcome),
      element(
        "section",
        { "aria-label": `設問 ${question.id}` },
        heading(questions, question, outcome),
        element("div", { class: "tools" }, filters(question, answers, outcome), tileWidth(tiles)),
        shown.length > 0 ? tiles : element("p", { class: "note" }, "この条件に当てはまる解答はありません。"),
        withoutAnswer(answers, scores),
      ),
    ),
  ];
}

/**
 * The address of a question's view.
 *
 * @param {Question} question
 * @param {Outcome} [outcome]
 */
const addressOf = (question, outcome) =>
  `#/questions/${encodeURIComponent(question.id)}${outcome === undefined ? "" : `/${outcome}`}`;

/**
 * @param {Question[]} questions
 * @param {Question} current
 * @param {Outcome | undefined} outcome the filter, kept from question to question
 */
function questionList(questions, current, outcome) {
  const list = element("nav", { class: "side", "aria-label": "設問の一覧" });
  questions.forEach((question, index) => {
    if (question.section !== null && question.section !== questions[index - 1]?.section) {
      list.append(element("h2", {}, `大問 ${question.section}`));
    }
    const doubtful = question.outcomes.doubtful ?? 0;
    list.append(
      element(
        "a",
        { href: addressOf(question, outcome), "aria-current": question === current ? "page" : null },
        element("span", { class: "question-id" }, question.id),
        element("span", { class: "kind" }, KIND_TERMS[question.kind] ?? question.kind),
        doubtful > 0 ? element("span", { class: "count" }, `要確認 ${doubtful}`) : null,
      ),
    );
  });
  return list;
}

/**
 * @param {Question[]} questions
 * @param {Question} question
 * @param {Outcome | undefined} outcome
 */
function heading(questions, question, outcome) {
  const place = questions.indexOf(question);
  return element(
    "header",
    { class: "question-heading" },
    element("h2", {}, `設問 ${question.id}`),
    figureList([
      ["種類", KIND_TERMS[question.kind] ?? question.kind],
      ["正答", question.answer.join("・") || "なし"],
      ["配点", `${question.points}点`],
      ...(question.viewpoint === null ? [] : [/** @type {[string, string]} */ (["観点", question.viewpoint])]),
    ]),
    element(
      "p",
      { class: "neighbours" },
      neighbour("previous", questions[place - 1], outcome),
      neighbour("next", questions[place + 1], outcome),
    ),
  );
}

/**
 * @param {"previous" | "next"} direction
 * @param {Question | undefined} question
 * @param {Outcome | undefined} outcome
 */
function neighbour(direction, question, outcome) {
  const [words, key] = direction === "previous" ? ["← 前の設問", "ArrowLeft"] : ["次の設問 →", "ArrowRight"];
  return question === undefined
    ? element("span", { class: "unavailable" }, words)
    : element("a", { href: addressOf(question, outcome), "aria-keyshortcuts": key }, words);
}

/**
 * @param {Question} question
 * @param {Answer[]} answers
 * @param {Outcome | undefined} current
 */
function filters(question, answers, current) {
  const list = element("nav", { class: "filters", "aria-label": "絞り込み" });
  for (const outcome of [undefined, ...OUTCOMES]) {
    const count = answers.filter((answer) => outcome === undefined || answer.outcome === outcome).length;
    if (count === 0 && outcome !== current) {
      continue;
    }
    const term = outcome === undefined ? { sign: "すべて", word: "すべて" } : OUTCOME_TERMS[outcome];
    list.append(
      element(
        "a",
        {
          href: addressOf(question, outcome),
          "aria-current": outcome === current ? "true" : null,
          "aria-label": `${term.word} ${count}件`,
        },
        term.sign === term.word ? term.word : `${term.sign} ${term.word}`,
        element("span", { class: "amount" }, String(count)),
      ),
    );
  }
  return list;
}

/** @param {HTMLElement} tiles whose width the slider sets */
function tileWidth(tiles) {
  const slider = element("input", {
    type: "range",
    min: TILE_WIDTH.smallest,
    max: TILE_WIDTH.largest,
    step: 20,
    value: rememberedWidth(),
  });
  const apply = () => tiles.style.setProperty("--tile-width", `${slider.value}px`);
  slider.addEventListener("input", () => {
    apply();
    rememberWidth(slider.value);
  });
  apply();
  return element("label", { class: "tile-width" }, "解答欄の大きさ", slider);
}

function rememberedWidth() {
  try {
    return Number(localStorage.getItem(TILE_WIDTH_KEY)) || TILE_WIDTH.usual;
  } catch {
    return TILE_WIDTH.usual; // the browser keeps nothing for this page
  }
}

/** @param {string} width */
function rememberWidth(width) {
  try {
    localStorage.setItem(TILE_WIDTH_KEY, width);
  } catch {
    // the browser keeps nothing for this page
  }
}

/** @param {Answer} answer */
function tile(answer) {
  const name = nameOf(answer.student, answer.sheet);
  const { sign, word } = OUTCOME_TERMS[answer.outcome];
  return element(
    "li",
    { class: `tile ${answer.outcome}` },
    answer.crop === null ? noPicture("画像なし") : picture(answer.crop, `${name} の解答欄`),
    element(
      "p",
      { class: "reading" },
      element("span", { class: "sign", "aria-label": word }, sign),
      element("span", { class: "read" }, readingWords(answer)),
      pointsWords(answer),
    ),
    element("p", { class: "name" }, name),
  );
}

/** @param {Answer} answer */
function pointsWords(answer) {
  if (answer.points !== null) {
    return element("span", { class: "points" }, `${answer.points}点`);
  }
  const { ungraded } = OUTCOME_TERMS;
  return answer.outcome === "ungraded" ? null : element("span", { class: "points undecided" }, ungraded.word);
}

/** @param {Answer} answer */
function readingWords(answer) {
  if (answer.reading === "") {
    return "";
  }
  const words = answer.reading.replaceAll(";", "・");
  return answer.outcome === "doubtful" ? `${words} ？` : words;
}

/**
 * Students of whom there is no answer at all: neither 空欄 nor 0点.
 *
 * @param {Answer[]} answers
 * @param {Score[]} scores
 */
function withoutAnswer(answers, scores) {
  const answered = new Set(answers.map((answer) => answer.student?.student_id));
  const names = scores
    .filter((score) => score.student !== null && !answered.has(score.student.student_id))
    .map((score) => `${nameOf(score.student, null)}（${score.grading === "missing" ? "欠席・未提出" : "ページなし"}）`);
  return names.length === 0 ? null : element("p", { class: "note" }, `解答のない生徒: ${names.join("、")}`);
}
