// @ts-check
import { answerPictures } from "./atlas.js";
import { element, figureList } from "./elements.js";
import { fetchAnswers, fetchExam, fetchQuestionCounts, fetchScores } from "./resources.js";
import { gradingOf, standingsOf } from "./standing.js";
import { GRADING_TERMS, KIND_TERMS, nameOf, OUTCOMES, OUTCOME_TERMS } from "./terms.js";

/**
 * @typedef {import("./resources.js").Answer} Answer
 * @typedef {import("./resources.js").Student} Student
 * @typedef {import("./standing.js").Outcome} Outcome
 * @typedef {import("./standing.js").Standing} Standing
 * @typedef {import("./resources.js").Question} Question
 * @typedef {import("./resources.js").Score} Score
 *
 * An answer with what is known of it.
 * @typedef {Answer & Standing & {owner: Student | null}} Shown
 */

const TILE_WIDTH = { smallest: 120, usual: 220, largest: 720 };
const TILE_WIDTH_KEY = "saiten.tile-width";

/**
 * The questions (設問): all answers to one of them, side by side.
 *
 * @param {string} exam
 * @param {string | undefined} questionId the first question if undefined
 * @param {string | undefined} filter an outcome; all answers if undefined
 */
export async function showQuestion(exam, questionId, filter) {
  const [stored, counts] = await Promise.all([fetchExam(exam), fetchQuestionCounts(exam)]);
  const { questions } = stored.exam;
  const question = questions.find((each) => each.id === questionId) ?? questions[0];
  if (question === undefined) {
    return [element("p", { class: "note" }, "この試験には設問がありません。")];
  }
  const [index, scores] = await Promise.all([fetchAnswers(exam, question.id), fetchScores(exam)]);
  const owners = new Map(scores.rows.map(({ student }) => [student?.id, student]));
  const standing = standingsOf(scores, question.id);
  const answers = index.answers.map((answer) => ({
    ...answer,
    ...standing(answer),
    owner: answer.student === null ? null : (owners.get(answer.student) ?? null),
  }));
  const outcome = OUTCOMES.find((each) => each === filter);
  const shown = answers.filter((answer) => outcome === undefined || answer.outcome === outcome);
  const pictureFor = answerPictures(index.atlases);
  const tiles = element(
    "ul",
    { class: "tiles", "aria-label": "解答欄の一覧" },
    ...shown.map((answer) => tile(answer, pictureFor)),
  );
  const doubtful = new Map(counts.map((count) => [count.question, count.doubtful]));
  const addressOf = addressesIn(exam);
  return [
    element(
      "div",
      { class: "with-side" },
      questionList(questions, question, doubtful, (each) => addressOf(each, outcome)),
      element(
        "section",
        { "aria-label": `設問 ${question.id}` },
        heading(questions, question, (each) => addressOf(each, outcome)),
        element(
          "div",
          { class: "tools" },
          filters(answers, outcome, (each) => addressOf(question, each)),
          tileWidth(tiles),
        ),
        shown.length > 0 ? tiles : element("p", { class: "note" }, "この条件に当てはまる解答はありません。"),
        withoutAnswer(answers, scores.rows),
      ),
    ),
  ];
}

/**
 * The addresses of an exam's questions, with a filter or without one.
 *
 * @param {string} exam
 * @returns {(question: Question, outcome: Outcome | undefined) => string}
 */
const addressesIn = (exam) => (question, outcome) =>
  `#/${exam}/questions/${encodeURIComponent(question.id)}${outcome === undefined ? "" : `/${outcome}`}`;

/**
 * @param {Question[]} questions
 * @param {Question} current
 * @param {Map<string, number>} doubtful answers of each question
 * @param {(question: Question) => string} addressOf keeps the filter from question to question
 */
function questionList(questions, current, doubtful, addressOf) {
  const list = element("nav", { class: "side", "aria-label": "設問の一覧" });
  questions.forEach((question, index) => {
    if (question.section !== null && question.section !== questions[index - 1]?.section) {
      list.append(element("h2", {}, `大問 ${question.section}`));
    }
    const count = doubtful.get(question.id) ?? 0;
    list.append(
      element(
        "a",
        { href: addressOf(question), "aria-current": question === current ? "page" : null },
        element("span", { class: "question-id" }, question.id),
        element("span", { class: "kind" }, KIND_TERMS[question.kind] ?? question.kind),
        count > 0 ? element("span", { class: "count" }, `要確認 ${count}`) : null,
      ),
    );
  });
  return list;
}

/**
 * @param {Question[]} questions
 * @param {Question} question
 * @param {(question: Question) => string} addressOf
 */
function heading(questions, question, addressOf) {
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
      neighbour("previous", questions[place - 1], addressOf),
      neighbour("next", questions[place + 1], addressOf),
    ),
  );
}

/**
 * @param {"previous" | "next"} direction
 * @param {Question | undefined} question
 * @param {(question: Question) => string} addressOf
 */
function neighbour(direction, question, addressOf) {
  const [words, key] = direction === "previous" ? ["← 前の設問", "ArrowLeft"] : ["次の設問 →", "ArrowRight"];
  return question === undefined
    ? element("span", { class: "unavailable" }, words)
    : element("a", { href: addressOf(question), "aria-keyshortcuts": key }, words);
}

/**
 * @param {Shown[]} answers
 * @param {Outcome | undefined} current
 * @param {(outcome: Outcome | undefined) => string} addressOf
 */
function filters(answers, current, addressOf) {
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
          href: addressOf(outcome),
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

/**
 * @param {Shown} answer
 * @param {(answer: Answer, description: string) => HTMLElement} pictureFor
 */
function tile(answer, pictureFor) {
  const name = nameOf(answer.owner, answer.sheet);
  const { sign, word } = OUTCOME_TERMS[answer.outcome];
  return element(
    "li",
    { class: `tile ${answer.outcome}` },
    pictureFor(answer, `${name} の解答欄`),
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

/** @param {Shown} answer */
function pointsWords(answer) {
  if (answer.points !== null) {
    return element("span", { class: "points" }, `${answer.points}点`);
  }
  const { ungraded } = OUTCOME_TERMS;
  return answer.outcome === "ungraded" ? null : element("span", { class: "points undecided" }, ungraded.word);
}

/** @param {Shown} answer */
function readingWords(answer) {
  if (answer.reading === "") {
    return "";
  }
  const words = answer.reading.replaceAll(";", "・");
  return answer.status === "doubtful" ? `${words} ？` : words;
}

/**
 * Students of whom there is no answer at all: neither 空欄 nor 0点.
 *
 * @param {Shown[]} answers
 * @param {Score[]} scores
 */
function withoutAnswer(answers, scores) {
  const answered = new Set(answers.map((answer) => answer.student));
  const names = scores
    .filter((score) => score.student !== null && !answered.has(score.student.id))
    .map((score) => {
      const why = score.sheets.length > 0 ? "ページなし" : GRADING_TERMS[gradingOf(score)];
      return `${nameOf(score.student, null)}（${why}）`;
    });
  return names.length === 0 ? null : element("p", { class: "note" }, `解答のない生徒: ${names.join("、")}`);
}
