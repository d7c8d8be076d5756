// <mar-search>: every endpoint and type of the API as a form, made from the published schema; the answer as a table or as JSON.
// The address of the page names endpoint, type and parameters, so that a search can be shared.
import { call, shown } from "./call.js";
import { published } from "./schema.js";
import { save } from "./rows.js";
import { say } from "./session.js";

const RECENT = "mar-recent-calls";
const MOST = 20;
const make = (name, attributes = {}, ...children) => { const made = Object.assign(document.createElement(name), attributes); made.append(...children); return made; };

customElements.define("mar-search", class extends HTMLElement {
  async connectedCallback() {
    this.at = (name) => this.querySelector(`[data-at=${name}]`);
    try { this.endpoints = await published(); }
    catch { return say("The description of the API could not be read: load the page again", "bad"); }
    this.at("endpoint").append(...this.endpoints.map((one) => make("option", { textContent: one.name })));
    this.at("endpoint").addEventListener("change", () => this.choose({}));
    this.at("type").addEventListener("change", () => this.draw({}));
    this.at("form").addEventListener("input", () => this.spell());
    this.at("form").addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    this.at("recent").addEventListener("click", (event) => this.again(event.target.closest("[data-call]")));
    this.recent();
    const { endpoint, ...body } = Object.fromEntries(new URLSearchParams(location.search));
    if (this.endpoints.some((one) => one.name === endpoint)) this.at("endpoint").value = endpoint;
    this.choose(body);
    this.at("send").disabled = false;
    this.setAttribute("ready", "");
  }
  get endpoint() { return this.endpoints.find((one) => one.name === this.at("endpoint").value); }
  get type() { return this.endpoint.types.find((one) => one.type === this.at("type").value) || this.endpoint.types[0]; }
  choose(body) {
    const types = this.endpoint.types.map((one) => one.type).filter(Boolean);
    this.at("type").replaceChildren(...types.map((type) => make("option", { textContent: type })));
    this.at("type").closest("label").hidden = !types.length;
    if (types.includes(body.type)) this.at("type").value = body.type;
    else if (types.includes("get")) this.at("type").value = "get";
    this.draw(body);
  }
  draw(body) {
    const { about, sets, parameters } = this.type;
    this.at("about").textContent = [this.endpoint.types.length === 1 ? this.endpoint.about + "." : "", about].join(" ").trim();
    this.at("sets").textContent = sets.length ? `Give one of: ${sets.join(" | ")}` : "";
    this.at("fields").replaceChildren(...parameters.map((one) => this.field(one, body[one.name])));
    this.spell();
  }
  field(one, value) {
    const input = one.choices ? make("select", {}, make("option", { value: "", textContent: one.required ? "choose" : "left out" }), ...one.choices.map((word) => make("option", { textContent: word })))
      : make(one.long ? "textarea" : "input");
    if (!one.choices && !one.long) input.type = one.secret ? "password" : one.date ? "date" : "text";
    if (one.long) Object.assign(input, { rows: 5, spellcheck: false });
    Object.assign(input, { name: one.name, required: one.required });
    if (one.example !== undefined && "placeholder" in input) input.placeholder = typeof one.example === "object" ? JSON.stringify(one.example) : one.example;
    if (value !== undefined) input.value = value;
    if (one.json) input.dataset.json = "";
    const help = make("small", { textContent: one.about });
    return make("label", {}, make("span", { textContent: one.name + (one.required ? " *" : "") }), input, help);
  }
  body() {
    const body = this.type.type ? { type: this.type.type } : {};
    for (const input of this.at("fields").querySelectorAll("[name]"))
      if (input.value !== "") body[input.name] = input.dataset.json === undefined ? input.value : JSON.parse(input.value);
    return body;
  }
  spell() {
    let body;
    try { body = this.body(); } catch { return; }
    const open = Object.entries(body).filter(([name]) => !/password/i.test(name));
    const address = new URLSearchParams({ endpoint: this.endpoint.name, ...Object.fromEntries(open.map(([key, value]) => [key, typeof value === "object" ? JSON.stringify(value) : value])) });
    history.replaceState(null, "", "?" + address);
    this.at("call").replaceChildren(shown(this.endpoint.path, Object.fromEntries(open)));
  }
  async send() {
    const result = this.at("result");
    const begun = performance.now();
    this.setAttribute("aria-busy", "true");
    try {
      const told = await call(this.endpoint.path, this.body());
      this.remember();
      this.tell(told, performance.now() - begun);
    } catch (error) {
      result.replaceChildren(make("p", { className: "bad", textContent: `${error.status ?? ""} ${error.message}`.trim() }));
      if (error.answer && Object.keys(error.answer).length > 2) result.append(json(error.answer));
    } finally {
      this.removeAttribute("aria-busy");
    }
  }
  tell(told, ms) {
    const rows = Array.isArray(told.msg) && told.msg.every((one) => one && typeof one === "object") ? told.msg : null;
    const head = make("div", { className: "spread" }, make("p", { className: "good", textContent: `${rows ? `${rows.length} row${rows.length === 1 ? "" : "s"}` : typeof told.msg === "string" ? told.msg : "answered"} in ${ms.toFixed(0)} ms` }));
    const raw = make("details", {}, make("summary", { textContent: "JSON" }));
    raw.addEventListener("toggle", () => { if (raw.open && raw.children.length === 1) raw.append(json(told)); });
    const file = make("button", { type: "button", className: "quiet", textContent: "Save JSON" });
    file.addEventListener("click", () => save(JSON.stringify(told, null, 1), "answer.json", "application/json"));
    head.append(file);
    const parts = [head];
    if (rows?.length) {
      const table = document.createElement("mar-rows");
      table.setAttribute("name", `${this.endpoint.name}-${this.type.type || "answer"}`);
      table.setAttribute("of", this.endpoint.name);
      parts.push(table);
      queueMicrotask(() => (table.rows = rows));
    } else if (!rows) raw.open = true;
    if (typeof told.msg === "string" && /^(TMP|TILES|THUMBS|LOGS)\//.test(told.msg)) parts.push(make("p", {}, make("a", { href: "/media/" + told.msg, textContent: told.msg })));
    this.at("result").replaceChildren(...parts, raw);
  }
  remember() {
    const entry = location.search;
    if (/password/i.test(entry)) return;
    const kept = [entry, ...this.kept().filter((one) => one !== entry)].slice(0, MOST);
    localStorage.setItem(RECENT, JSON.stringify(kept));
    this.recent();
  }
  kept() { return JSON.parse(localStorage.getItem(RECENT) || "[]"); }
  recent() {
    this.at("recent").replaceChildren(...this.kept().map((entry) => {
      const { endpoint, ...body } = Object.fromEntries(new URLSearchParams(entry));
      const words = [endpoint, ...Object.entries(body).map(([key, value]) => (key === "type" ? value : `${key}=${value}`))].join(" ");
      const button = make("button", { type: "button", className: "quiet", textContent: words });
      button.dataset.call = entry;
      return make("li", {}, button);
    }));
    this.at("recent").closest("details").hidden = !this.kept().length;
  }
  again(button) {
    if (!button) return;
    const { endpoint, ...body } = Object.fromEntries(new URLSearchParams(button.dataset.call));
    this.at("endpoint").value = endpoint;
    this.choose(body);
  }
});

function json(value) {
  const text = JSON.stringify(value, null, 1);
  const shownText = text.length > 200_000 ? text.slice(0, 200_000) + "\n… and more: Save JSON has it all" : text;
  return make("pre", { textContent: shownText, tabIndex: 0 });
}
