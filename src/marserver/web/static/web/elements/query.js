// <mar-query>: a statement, its rows as a table, two of its columns as a plot, statements that are kept in this browser
import { call, shown } from "./call.js";
import { plot } from "./plot.js";
import "./rows.js";

const KEPT = "mar-kept-queries";
const MOST_ROWS = 5000;
const make = (name, attributes = {}, ...children) => { const made = Object.assign(document.createElement(name), attributes); made.append(...children); return made; };

customElements.define("mar-query", class extends HTMLElement {
  connectedCallback() {
    this.at = (name) => this.querySelector(`[data-at=${name}]`);
    this.form = this.querySelector("form");
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.run(); });
    this.form.addEventListener("input", () => this.spell());
    this.form.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && this.form.requestSubmit());
    this.addEventListener("click", (event) => this.click(event.target));
    this.list();
    this.spell();
  }
  get path() { return this.getAttribute("path"); }
  get words() { return this.form.elements.query; }
  body(format = this.form.elements.format.value) { return { query: this.words.value, ...(format === "csv" ? {} : { format }) }; }
  spell() {
    this.at("call").replaceChildren(shown(this.path, this.body()));
    history.replaceState(null, "", this.words.value ? "?" + new URLSearchParams({ q: this.words.value }) : location.pathname);
  }
  click(button) {
    if (button.dataset.query) this.put(button.dataset.query);
    if (button.dataset.word) { this.words.setRangeText(button.dataset.word + " ", this.words.selectionStart, this.words.selectionEnd, "end"); this.words.focus(); this.spell(); }
    if (button.dataset.save !== undefined) this.keep();
    if (button.dataset.drop) this.store(this.kept().filter((one) => one !== button.dataset.drop));
  }
  put(words) { this.words.value = words; this.spell(); this.words.focus(); }
  kept() { return JSON.parse(localStorage.getItem(KEPT) || "[]"); }
  keep() { const words = this.words.value.trim(); if (words) this.store([words, ...this.kept().filter((one) => one !== words)]); }
  store(all) { localStorage.setItem(KEPT, JSON.stringify(all.slice(0, 50))); this.list(); }
  list() {
    this.at("none").hidden = this.kept().length > 0;
    this.at("kept").replaceChildren(...this.kept().map((words) => {
      const again = make("button", { type: "button", className: "link", textContent: words.replace(/\s+/g, " ").slice(0, 80) });
      again.dataset.query = words;
      const drop = make("button", { type: "button", className: "link", textContent: "✕", ariaLabel: "Forget this statement" });
      drop.dataset.drop = words;
      return make("li", {}, again, " ", drop);
    }));
  }
  async run() {
    const result = this.at("result");
    this.setAttribute("aria-busy", "true");
    result.replaceChildren(make("progress", { ariaLabel: "The statement runs" }));
    try {
      const format = this.form.elements.format.value;
      const told = await call(this.path, this.body());
      const rows = told.rows ? await this.rows(format === "json" ? told : await call(this.path, this.body("json"))) : [];
      this.show(told, rows);
    } catch (error) {
      result.replaceChildren(make("p", { className: "bad", textContent: error.message }));
    } finally {
      this.removeAttribute("aria-busy");
    }
  }
  async rows(told) {
    const found = await (await fetch("/media/" + told.msg)).json();
    const all = Array.isArray(found) ? found : found.rows;
    return all.slice(0, MOST_ROWS).map((row) => (Array.isArray(row) ? Object.fromEntries(told.columns.map((name, n) => [name, row[n]])) : row));
  }
  show(told, rows) {
    const cut = told.truncated ? ", cut at its limit" : rows.length < told.rows ? `, the first ${rows.length} below` : "";
    const line = make("p", {}, `${told.rows} row${told.rows === 1 ? "" : "s"}${cut}. `, make("a", { href: "/media/" + told.msg + "?download=1", textContent: "Download" }));
    const table = document.createElement("mar-rows");
    this.at("result").replaceChildren(line, ...(rows.length ? [this.plotted(rows), table] : []));
    if (rows.length) table.rows = rows;
  }
  plotted(rows) {
    const numbers = Object.keys(rows[0]).filter((name) => rows.some((row) => typeof row[name] === "number"));
    if (numbers.length < 2) return "";
    const choose = (label, chosen) => make("label", { textContent: label + " " }, make("select", {}, ...numbers.map((name) => make("option", { textContent: name, selected: name === chosen }))));
    const [x, y] = [choose("Across", numbers[0]), choose("Up", numbers[1])];
    const place = make("div", { className: "plot" });
    place.setAttribute("role", "img");
    const details = make("details", {}, make("summary", { textContent: "Plot" }), make("div", { className: "row" }, x, y), place);
    const draw = () => { const [across, up] = [x, y].map((one) => one.querySelector("select").value); place.setAttribute("aria-label", `${up} against ${across}`); if (details.open) plot(place, rows, across, up, true); };
    details.addEventListener("toggle", draw);
    details.addEventListener("change", draw);
    return details;
  }
});
