// <mar-board>: cells are selected by shift and click, by keys, by row and by column, and acted on: one API call each, one after another.
// Arrow keys move from cell to cell, so that Tab passes a thousand cells at once. The selection is in the address (#FIELD/BAND,...).
import { call, spelled } from "./call.js";
import { forget } from "./session.js";

const make = (name, attributes = {}, ...children) => { const made = Object.assign(document.createElement(name), attributes); made.append(...children); return made; };
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const MOST_CALLS_SHOWN = 200;

customElements.define("mar-board", class extends HTMLElement {
  connectedCallback() {
    this.at = (name) => this.querySelector(`[data-at=${name}]`);
    this.keys = new Set(decodeURIComponent(location.hash.slice(1)).split(",").filter(Boolean));
    this.addEventListener("click", (event) => this.click(event));
    this.addEventListener("mousedown", (event) => event.shiftKey && event.target.closest(".cell") && event.preventDefault());
    this.addEventListener("mouseover", (event) => { if (event.target.matches(".cell")) event.target.title = event.target.ariaLabel; });
    this.addEventListener("keydown", (event) => this.key(event));
    this.addEventListener("focusin", (event) => event.target.matches(".cell") && this.here(event.target));
    this.addEventListener("change", (event) => event.target.matches("td.check > input") && this.put(this.row(event.target), event.target.checked));
    this.addEventListener("submit", (event) => { event.preventDefault(); this.act(event.target, event.submitter); });
    this.addEventListener("htmx:afterSwap", () => this.ready());
    this.ready();
    if (this.querySelector("[data-restored]")) this.querySelector(".selection details")?.setAttribute("open", "");
  }
  ready() {
    this.rows = [...this.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll(".cell")]);
    this.cells = this.rows.flat();
    this.cells.forEach((cell, place) => { cell.tabIndex = place ? -1 : 0; });
    this.anchor = null;
    this.look();
  }
  name(cell) { return `${cell.closest("tr").dataset.field}/${cell.dataset.band}`; }
  row(inside) { return [...inside.closest("tr").querySelectorAll(".cell")]; }
  chosen() { return this.cells.filter((cell) => this.keys.has(this.name(cell))); }
  place(cell) { const row = this.rows.findIndex((some) => some.includes(cell)); return [row, this.rows[row].indexOf(cell)]; }
  here(cell) {
    this.cells.forEach((one) => { one.tabIndex = one === cell ? 0 : -1; });
  }
  click(event) {
    const cell = event.target.closest(".cell");
    if (cell && event.shiftKey) { event.preventDefault(); this.extend(cell); }
    const button = event.target.closest("button");
    if (button?.dataset.column) {
      const column = this.cells.filter((one) => one.dataset.band === button.dataset.column);
      this.put(column, !column.every((one) => this.keys.has(this.name(one))));
    }
    if (button?.dataset.do === "clear") { this.keys.clear(); this.look(); }
    if (button?.dataset.do === "calls") this.tell(button.form);
  }
  key(event) {
    const cell = event.target.closest(".cell");
    if (!cell) return;
    if (event.key === " ") { event.preventDefault(); this.anchor = cell; this.put([cell], !this.keys.has(this.name(cell))); }
    if (event.key === "Escape") { this.keys.clear(); this.look(); }
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const [row, column] = this.place(cell);
    const next = this.rows[row + move[0]]?.[column + move[1]];
    if (!next) return;
    if (event.shiftKey) { this.anchor ??= cell; this.extend(next); }
    next.focus();
  }
  // All cells between the one where the selection began and this one; the first cell goes on and off
  extend(cell) {
    if (!this.anchor || this.anchor === cell) { this.anchor = cell; return this.put([cell], !this.keys.has(this.name(cell))); }
    const [one, other] = [this.place(this.anchor), this.place(cell)];
    const between = (place, n) => place >= Math.min(one[n], other[n]) && place <= Math.max(one[n], other[n]);
    this.put(this.rows.flatMap((row, y) => (between(y, 0) ? row.filter((_, x) => between(x, 1)) : [])), true);
  }
  put(cells, on) {
    cells.forEach((cell) => this.keys[on ? "add" : "delete"](this.name(cell)));
    this.look();
  }
  look() {
    const chosen = this.chosen();
    this.cells.forEach((cell) => { cell.classList.toggle("chosen", this.keys.has(this.name(cell))); });
    this.rows.forEach((row) => {
      const box = row[0].closest("tr").querySelector("input");
      const count = row.filter((cell) => chosen.includes(cell)).length;
      box.checked = count === row.length;
      box.indeterminate = count > 0 && count < row.length;
    });
    const tiles = chosen.filter((cell) => cell.dataset.tile).length;
    this.at("selection").hidden = !chosen.length;
    this.at("words").textContent = `${chosen.length} cell${chosen.length === 1 ? "" : "s"} selected, ${tiles} with a tile`;
    const hash = chosen.length ? "#" + encodeURIComponent(chosen.map((cell) => this.name(cell)).join(",")) : "";
    history.replaceState(null, "", location.pathname + location.search + hash);
    this.at("link").href = location.href;
  }
  // The calls of a form for the selected cells: flags and comments belong to tiles, processing to a field and band
  bodies(form, button) {
    const type = form.dataset.act;
    const chosen = this.chosen();
    if (type === "process") return chosen.map((cell) => ({ type, field: cell.closest("tr").dataset.field, band: cell.dataset.band }));
    const bits = [...form.querySelectorAll("[data-bit]:checked")].reduce((sum, box) => sum | (1 << box.dataset.bit), 0);
    const more = type === "setflag" ? { flag: button?.value ? Number(button.value) : bits } : { comment: form.elements.comment.value };
    return chosen.filter((cell) => cell.dataset.tile).map((cell) => ({ type, id: Number(cell.dataset.tile), ...more }));
  }
  tell(form) {
    const bodies = this.bodies(form);
    const lines = bodies.slice(0, MOST_CALLS_SHOWN).map((body) => spelled("/reduction/finaltiles", body)["mar call"]);
    if (bodies.length > lines.length) lines.push(`# and ${bodies.length - lines.length} more`);
    const close = make("button", { textContent: "Close" });
    const dialog = make("dialog", {}, make("h2", { textContent: "The same for a script" }), make("pre", { tabIndex: 0, textContent: lines.join("\n") || "none of the selected cells has a tile" }));
    if (bodies.length) dialog.append(make("h3", { textContent: "One of them with curl, and in Python" }), ...["curl", "Python"].map((way) => make("pre", { tabIndex: 0, textContent: spelled("/reduction/finaltiles", bodies[0])[way] })));
    dialog.append(close);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }
  async act(form, button) {
    const bodies = this.bodies(form, button);
    const [progress, told] = [this.at("progress"), this.at("told")];
    const refused = [];
    this.setAttribute("aria-busy", "true");
    this.querySelectorAll(".acts button").forEach((one) => { one.disabled = true; });
    Object.assign(progress, { hidden: false, max: bodies.length || 1, value: 0 });
    for (const body of bodies) {
      try { await call("/reduction/finaltiles", body); } catch (error) { refused.push(error.message); }
      progress.value += 1;
    }
    progress.hidden = true;
    const done = bodies.length - refused.length;
    const words = { setflag: "flagged", setcomment: "commented", process: "put into the queue" }[form.dataset.act];
    const reasons = [...new Set(refused)].slice(0, 5);
    told.replaceChildren(make("p", { className: refused.length ? "warn" : "good", textContent: bodies.length ? `${done} of ${bodies.length} ${words}${refused.length ? `, ${refused.length} refused:` : ""}` : "None of the selected cells has a tile." }));
    if (reasons.length) told.append(make("ul", {}, ...reasons.map((reason) => make("li", { textContent: reason }))));
    this.querySelectorAll(".acts button").forEach((one) => { one.disabled = false; });
    this.removeAttribute("aria-busy");
    if (bodies.length && !refused.length) forget(form);
    if (done) this.dispatchEvent(new CustomEvent("mar-done", { bubbles: true }));
  }
});
