// @ts-check
import { element, noPicture } from "./elements.js";
import { atlasAddress } from "./resources.js";

/**
 * Pictures of answers, each cut out of an atlas that holds some dozen of them.
 *
 * @typedef {import("./resources.js").Answer} Answer
 */

/**
 * A picture of each answer; an atlas is asked for once, and drawn when it has come.
 *
 * @param {string[]} atlases
 * @returns {(answer: Answer, description: string) => HTMLElement}
 */
export function answerPictures(atlases) {
  /** @type {Map<string, Promise<HTMLImageElement>>} */
  const loaded = new Map();
  return (answer, description) => {
    const atlas = answer.atlas === null ? undefined : atlases[answer.atlas];
    if (atlas === undefined) {
      return noPicture("画像なし");
    }
    const canvas = element("canvas", { role: "img", "aria-label": description, width: answer.w, height: answer.h });
    const image = loaded.get(atlas) ?? load(atlas);
    loaded.set(atlas, image);
    image.then(
      (whole) => draw(canvas, whole, answer),
      () => canvas.replaceWith(noPicture("画像を開けません")),
    );
    return canvas;
  };
}

/** @param {string} atlas */
async function load(atlas) {
  const image = new Image();
  image.src = atlasAddress(atlas);
  await image.decode();
  return image;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLImageElement} atlas
 * @param {Answer} answer
 */
function draw(canvas, atlas, { x, y, w, h }) {
  canvas.getContext("2d")?.drawImage(atlas, x, y, w, h, 0, 0, w, h);
  canvas.dataset["drawn"] = "true";
}
