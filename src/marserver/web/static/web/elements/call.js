// <mar-call path="/reduction/finaltiles"><form>...</form></mar-call>: the form is a call of the API.
// Its fields are the parameters; `type` may be one of them. Empty fields are left out, checkboxes are true or left out,
// fields with data-json hold numbers or JSON. Below the form stands the same call for curl, Python and the command `mar call`.
// After a good answer the element sends "mar-done" (detail: the answer), on which parts of the page load themselves again
// (hx-trigger="mar-done from:body"); data-then="URL" goes on to a page, {id} being that of the answer.
import { say, session, forget } from "./session.js";

const token = () => document.querySelector("meta[name=csrf-token]").content;

export async function call(path, body) {
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
  if (answer.status === 401 || (answer.status === 403 && told.msg.includes("CSRF"))) session.ended();
  else session.fine();
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
    if (one.dataset.join !== undefined) body[one.name] = [body[one.name], value].filter(Boolean).join(one.dataset.join || " ");
    else body[one.name] = one.dataset.json !== undefined && typeof value === "string" ? JSON.parse(value) : value;
  }
  return body;
}

const word = (text) => (/^[\w./,:@%+-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\\''")}'`);
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

customElements.define("mar-call", class extends HTMLElement {
  connectedCallback() { queueMicrotask(() => this.ready()); }
  get path() { return this.getAttribute("path"); }
  get form() { return this.querySelector("form"); }
  ready() {
    if (!this.form || this.details) return;
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.send(event.submitter); });
    if (this.hasAttribute("bare")) return;
    this.details = document.createElement("details");
    this.details.className = "as-call";
    const title = document.createElement("summary");
    title.textContent = "as an API call";
    this.details.append(title, document.createElement("div"));
    this.append(this.details);
    const draw = () => this.details.open && this.draw();
    this.details.addEventListener("toggle", draw);
    this.form.addEventListener("input", draw);
  }
  draw() {
    try { this.details.lastChild.replaceChildren(shown(this.path, parameters(this.form))); }
    catch (error) { this.details.lastChild.textContent = error.message; }
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
      this.dispatchEvent(new CustomEvent("mar-done", { bubbles: true, detail: told }));
      if (this.dataset.then) location.assign(this.dataset.then.replace("{id}", told.id ?? ""));
    } catch (error) {
      say(error.message, "bad");
      this.dispatchEvent(new CustomEvent("mar-refused", { bubbles: true, detail: error }));
    } finally {
      this.removeAttribute("aria-busy");
      if (button) button.disabled = false;
    }
  }
});
