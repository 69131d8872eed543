// @ts-check
/**
 * The way in: choosing a password by a set-up link (/setup#TOKEN, the school's first one /setup?first#TOKEN), signing
 * in (/signin), or coming into the demo by the address that its terminal shows (/demo#TOKEN).
 */

const form = /** @type {HTMLFormElement} */ (document.getElementById("entry"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
const isDemo = location.pathname === "/demo";
const token = location.pathname === "/signin" ? "" : location.hash.slice(1);
const mode = token === "" ? "signin" : location.search === "?first" ? "first" : "setup";

/**
 * Ask to be let in, and go to the page behind, or tell why not.
 *
 * @param {string} address
 * @param {object} body
 */
async function enter(address, body) {
  problem.textContent = "";
  const headers = { "Content-Type": "application/json", "Accept-Language": document.documentElement.lang };
  try {
    const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
    if (answer.ok) {
      location.replace("/"); // the token leaves the browser's history with this page
    } else {
      problem.textContent = (await answer.json()).detail;
    }
  } catch {
    problem.textContent = "サーバーとつながりません。動いているか確かめてください。";
  }
}

function enterDemo() {
  if (token === "") {
    problem.textContent = "saiten demo を動かしている画面（端末）に出ているアドレスから、もう一度開いてください。";
  } else {
    void enter("/api/demo-session", { token });
  }
}

function warnOfPlainHttp() {
  if (document.querySelector(".warning") === null) {
    const warning = document.createElement("p");
    warning.className = "warning";
    warning.textContent = "暗号化されていません。同じネットワークの人に、パスワードや成績を読み取られるおそれがあります。";
    document.querySelector("main")?.prepend(warning);
  }
}

function prepare() {
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-for]"))) {
    part.hidden = !part.dataset["for"]?.split(" ").includes(mode);
    for (const input of part.querySelectorAll("input")) {
      input.required = !part.hidden;
    }
  }
  const password = /** @type {HTMLInputElement} */ (form.elements.namedItem("password"));
  password.autocomplete = mode === "signin" ? "current-password" : "new-password";
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  button.textContent = mode === "signin" ? "サインイン" : "登録";
  if (location.protocol === "http:" && !["127.0.0.1", "localhost", "[::1]"].includes(location.hostname)) {
    warnOfPlainHttp();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const written = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  void (mode === "signin" ? enter("/api/session", written) : enter("/api/setup", { token, ...written }));
});
// A link that differs from this one behind # alone loads nothing by itself.
window.addEventListener("hashchange", () => location.reload());

if (isDemo) {
  enterDemo();
} else {
  prepare();
  form.hidden = false;
}
