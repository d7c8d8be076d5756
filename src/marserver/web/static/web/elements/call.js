// <mar-call path="/reduction/finaltiles"><form>...</form></mar-call>: the form is a call of the API.
// Its fields are the parameters; `type` may be one of them. Empty fields are left out, checkboxes are true or left out
// (data-value gives another value; with data-join the ticked ones become one text, with data-add their sum), fields with data-json hold numbers or JSON.
// The button { } shows the same call for curl, Python and the command `mar call`; the attribute `bare` leaves it out.
// After a good answer the element sends "mar-done" (detail: the answer), on which parts of the page load themselves again
// (hx-trigger="mar-done from:body"); data-then="URL" goes on to a page, {id} or {job} in it being those of the answer; data-ask is asked first,
// data-forget names the draft of another form that it settles too.
import { say, session, forget } from "./session.js";

const token = () => document.querySelector("meta[name=csrf-token]").content;

export async function call(path, body, again = true) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
      body: JSON.stringify(body),
    });
  } catch {
    session.away();
    throw new Error("the server does not answer");
  }
  const told = answer.status === 204 ? { status: true } : await answer.json();
  const refused = answer.status === 403 && told.msg.includes("CSRF"); // a session ended, or began in another tab
  if (refused && again && (await session.ask())) return call(path, body, false);
  if (answer.status === 401 || refused) { session.ended(); throw Object.assign(new Error("Not sent: your session has ended."), { status: answer.status }); }
  session.fine();
  if (!answer.ok) throw Object.assign(new Error(told.msg), { status: answer.status, answer: told });
  return told;
}

export function parameters(form) {
  const body = {};
  for (const one of form.elements) {
    if (!one.name || one.disabled || one.name === "csrfmiddlewaretoken") continue;
    if (one.type === "radio" && !one.checked) continue;
    const value = one.type === "checkbox" ? (one.checked ? one.dataset.value ?? true : "") : one.value;
    if (value === "") continue;
    if (one.dataset.add !== undefined) { body[one.name] = (body[one.name] || 0) + Number(one.dataset.add); continue; }
    if (one.dataset.join !== undefined) body[one.name] = [body[one.name], value].filter(Boolean).join(one.dataset.join || " ");
    else body[one.name] = one.dataset.json !== undefined && typeof value === "string" ? JSON.parse(value) : value;
  }
  return body;
}

const word = (text) => (/^[\w./,:@%+=-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`);
const python = (value) => value === true ? "True" : value === false ? "False" : value === null ? "None" : JSON.stringify(value);

export function spelled(path, body) {
  const name = path.replace(/^\/reduction\//, "");
  const pairs = Object.entries(body);
  return {
    curl: `curl ${location.origin}${path} \\\n  -H "Authorization: Bearer $MAR_TOKEN" \\\n  -H "Content-Type: application/json" \\\n  -d ${word(JSON.stringify(body))}`,
    Python: `from marclient import Client\n\nwith Client("${location.origin}", token) as client:\n    client.call("${name}"${pairs.map(([key, value]) => `, ${key}=${python(value)}`).join("")})`,
    "mar call": ["mar call", name, ...pairs.map(([key, value]) => word(`${key}=${typeof value === "string" ? value : JSON.stringify(value)}`))].join(" "),
  };
}

export function shown(path, body) {
  const list = document.createElement("dl");
  for (const [title, text] of Object.entries(spelled(path, body))) {
    const head = document.createElement("dt");
    const code = document.createElement("pre");
    head.textContent = title;
    code.textContent = text;
    code.tabIndex = 0;
    const line = document.createElement("dd");
    line.append(code);
    list.append(head, line);
  }
  return list;
}

function listed(title, lines) {
  const [head, code] = [document.createElement("h3"), document.createElement("pre")];
  head.textContent = title;
  code.textContent = lines.join("\n");
  code.tabIndex = 0;
  const both = document.createElement("div");
  both.append(head, code);
  return both;
}

// A dialog with a call, or several of the same kind, the same for every form of the page
export function show(path, ...bodies) {
  const dialog = document.createElement("dialog");
  dialog.className = "as-call";
  const title = document.createElement("h2");
  title.textContent = "The same for a script";
  const close = document.createElement("button");
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.append(title, shown(path, bodies[0]));
  if (bodies.length > 1) dialog.append(listed(`All ${bodies.length}`, bodies.map((body) => spelled(path, body)["mar call"])));
  dialog.append(close);
  document.body.append(dialog);
  dialog.showModal();
}

customElements.define("mar-call", class extends HTMLElement {
  connectedCallback() { queueMicrotask(() => this.ready()); }
  get path() { return this.getAttribute("path"); }
  get form() { return this.querySelector("form"); }
  ready() {
    if (!this.form || this.code) return;
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(event.submitter); });
    if (this.hasAttribute("bare")) return;
    this.code = document.createElement("button");
    Object.assign(this.code, { type: "button", className: "code", textContent: "{ }", title: "as an API call" });
    this.code.setAttribute("aria-label", "as an API call");
    this.code.addEventListener("click", () => this.tell());
    (this.form.querySelector(":scope > .row:last-child") ?? this.form).append(this.code);
  }
  tell() {
    const button = this.form.querySelector("button[name]");
    const body = parameters(this.form);
    show(this.path, button ? { ...body, [button.name]: button.value } : body);
  }
  async send(button) {
    if (this.dataset.ask && !confirm(this.dataset.ask)) return;
    this.setAttribute("aria-busy", "true");
    if (button) button.disabled = true;
    try {
      const body = parameters(this.form);
      if (button?.name) body[button.name] = button.value;
      const told = await call(this.path, body);
      if (typeof told.msg === "string") say(told.msg);
      forget(this.form);
      if (this.dataset.forget) document.querySelectorAll(`form[data-draft="${this.dataset.forget}"]`).forEach(forget);
      this.dispatchEvent(new CustomEvent("mar-done", { bubbles: true, detail: told }));
      if (this.dataset.then) location.assign(this.dataset.then.replace(/\{(\w+)\}/g, (_, key) => told[key] ?? ""));
    } catch (error) {
      say(error.message, "bad");
      this.dispatchEvent(new CustomEvent("mar-refused", { bubbles: true, detail: error }));
    } finally {
      this.removeAttribute("aria-busy");
      if (button) button.disabled = false;
    }
  }
});
