// @ts-check
/**
 * The way in: choosing a password by a set-up link (/setup#TOKEN, the school's first one /setup?first#TOKEN), signing
 * in and out.
 *
 * @typedef {{account: {login: string}, school: string, csrf_token: string, transport: string}} Session
 */

const form = /** @type {HTMLFormElement} */ (document.getElementById("entry"));
const inside = /** @type {HTMLElement} */ (document.getElementById("inside"));
const problem = /** @type {HTMLElement} */ (document.getElementById("problem"));
const token = location.pathname === "/setup" ? location.hash.slice(1) : "";
const mode = token === "" ? "signin" : location.search === "?first" ? "first" : "setup";
let csrfToken = "";

/**
 * Send a request; a refusal is told on the page and gives null.
 *
 * @param {string} method
 * @param {string} address
 * @param {object} [body]
 * @returns {Promise<any>}
 */
async function send(method, address, body) {
  problem.textContent = "";
  /** @type {Record<string, string>} */
  const headers = { "X-CSRF-Token": csrfToken, "Accept-Language": document.documentElement.lang };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
  }
  try {
    const answer = await fetch(address, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
    const said = answer.status === 204 ? {} : await answer.json();
    if (answer.ok) {
      return said;
    }
    if (said.refusal !== "not_signed_in") {
      problem.textContent = said.detail;
    }
  } catch {
    problem.textContent = "サーバーとつながりません。動いているか確かめてください。";
  }
  return null;
}

/** @param {Session | null} session */
function show(session) {
  form.hidden = session !== null;
  inside.hidden = session === null;
  if (session === null) {
    return;
  }
  csrfToken = session.csrf_token;
  const who = /** @type {HTMLElement} */ (document.getElementById("who"));
  who.textContent = `${session.school}　${session.account.login}`;
  if (session.transport === "plain") {
    warnOfPlainHttp();
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

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const written = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  const session =
    mode === "signin" ? await send("POST", "/api/session", written) : await send("POST", "/api/setup", { token, ...written });
  if (session !== null) {
    form.reset();
    history.replaceState(null, "", "/");
    show(session);
  }
});

document.getElementById("leave")?.addEventListener("click", async () => {
  if ((await send("DELETE", "/api/session")) !== null) {
    location.assign("/");
  }
});

prepare();
if (mode === "signin") {
  void send("GET", "/api/session").then(show);
} else {
  show(null);
}
