// @ts-check

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | null>} attributes those that are null are left out
 * @param {...(Node | string | null)} children those that are null are left out
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) {
      made.setAttribute(name, String(value));
    }
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * A picture that is loaded once it comes near the screen; words stand in its place if it can't be.
 *
 * @param {string} source
 * @param {string} description
 */
export function picture(source, description) {
  const image = element("img", { src: source, alt: description, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(noPicture("画像を開けません")));
  return image;
}

/** @param {string} words */
export const noPicture = (words) => element("p", { class: "no-picture" }, words);

/**
 * Short figures under their names, side by side.
 *
 * @param {[name: string, figure: string][]} figures
 */
export const figureList = (figures) =>
  element(
    "dl",
    { class: "figures" },
    ...figures.map(([name, figure]) => element("div", {}, element("dt", {}, name), element("dd", {}, figure))),
  );
