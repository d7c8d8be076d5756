// <mar-order path="/reduction/setpriority">: rows with data-id and data-priority that are dragged, or moved by their arrows.
// Higher priorities go first and, among equals, lower ids: only those rows get another priority that need one.
import { call, show } from "./call.js";
import { say } from "./session.js";

export function priorities(rows) {
  const wanted = rows.map((row) => ({ ...row }));
  for (let i = wanted.length - 2; i >= 0; i--) {
    const [upper, lower] = [wanted[i], wanted[i + 1]];
    upper.priority = Math.max(upper.priority, lower.priority + (upper.id < lower.id ? 0 : 1));
  }
  return wanted.filter((row, i) => row.priority !== rows[i].priority);
}

customElements.define("mar-order", class extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      if (event.target.closest("[data-code]")) this.tell();
      this.arrow(event.target.closest("[data-move]"));
    });
    this.addEventListener("dragstart", (event) => { this.dragged = event.target.closest("tr"); this.dragged?.classList.add("dragged"); });
    this.addEventListener("dragover", (event) => this.over(event));
    this.addEventListener("drop", (event) => event.preventDefault());
    this.addEventListener("dragend", () => this.drop());
    // While a row is in the hand the list does not change below it
    this.wait = (event) => { if (this.dragged) event.preventDefault(); };
    document.body.addEventListener("htmx:beforeSwap", this.wait);
  }
  disconnectedCallback() { document.body.removeEventListener("htmx:beforeSwap", this.wait); }
  over(event) {
    const row = event.target.closest("tr[data-id]");
    if (!this.dragged || !row || row === this.dragged) return;
    event.preventDefault();
    const box = row.getBoundingClientRect();
    row[event.clientY < box.top + box.height / 2 ? "before" : "after"](this.dragged);
  }
  arrow(button) {
    if (!button) return;
    const row = button.closest("tr");
    const other = button.dataset.move === "-1" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    other[button.dataset.move === "-1" ? "before" : "after"](row);
    button.focus();
    this.send();
  }
  tell() {
    const first = this.querySelector("tr[data-id]");
    show(this.getAttribute("path"), { id: Number(first.dataset.id), priority: Number(first.dataset.priority) + 1 });
  }
  drop() {
    this.dragged?.classList.remove("dragged");
    this.dragged = null;
    this.send();
  }
  async send() {
    const rows = [...this.querySelectorAll("tr[data-id]")].map((row) => ({ id: Number(row.dataset.id), priority: Number(row.dataset.priority) }));
    const moved = priorities(rows);
    try {
      for (const one of moved) await call(this.getAttribute("path"), one);
      if (moved.length) say("The order is changed");
    } catch (error) {
      say(error.message, "bad");
    }
    this.dispatchEvent(new CustomEvent("mar-done", { bubbles: true }));
  }
});
