// <mar-settings>: items that were changed are marked and counted, and saved one after another; what was refused stays marked.
import { call, show } from "./call.js";
import { forget, say } from "./session.js";

customElements.define("mar-settings", class extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.bar = this.querySelector(".unsaved");
    this.form.addEventListener("input", (event) => (event.target.matches("[data-find], [data-only]") ? this.find() : this.look()));
    this.form.addEventListener("click", (event) => this.click(event.target));
    this.form.addEventListener("reset", () => setTimeout(() => this.look()));
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.save(); });
    // What is typed is kept for after a new login: then nothing is asked
    addEventListener("beforeunload", (event) => this.changed().length && !this.saved && document.querySelector("mar-session[hidden]") && event.preventDefault());
    this.look();
  }
  items() { return [...this.querySelectorAll(".item")]; }
  input(item) { return item.querySelector("[data-was]"); }
  changed() { return this.items().filter((item) => this.input(item).value !== this.input(item).dataset.was); }
  look() {
    if (!this.bar) return;
    const changed = this.changed();
    this.items().forEach((item) => {
      item.classList.toggle("touched", changed.includes(item));
      const back = item.querySelector("[data-default]");
      back.hidden = this.input(item).value === back.dataset.default;
    });
    this.bar.hidden = !changed.length;
    this.querySelector("[data-count]").textContent = `${changed.length} change${changed.length === 1 ? "" : "s"} not saved`;
  }
  find() {
    const words = this.querySelector("[data-find]").value.toLowerCase();
    const only = this.querySelector("[data-only]").checked;
    this.items().forEach((item) => (item.hidden = !item.dataset.words.toLowerCase().includes(words) || (only && !item.classList.contains("differs"))));
    this.querySelectorAll(".section").forEach((section) => {
      section.hidden = !section.querySelector(".item:not([hidden])");
      section.open = !section.hidden && Boolean(words || only);
    });
  }
  click(button) {
    if (button.matches("[data-default]")) {
      const input = this.input(button.closest(".item"));
      input.value = button.dataset.default;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (button.matches("[data-code]")) this.tell();
  }
  bodies() { return this.changed().map((item) => ({ section: item.dataset.section, item: item.dataset.item, value: this.input(item).value })); }
  tell() { show(this.getAttribute("path"), ...this.bodies()); }
  async save() {
    let refused = 0;
    for (const body of this.bodies()) {
      const item = this.querySelector(`[data-section="${body.section}"][data-item="${body.item}"]`);
      try {
        await call(this.getAttribute("path"), body);
        this.input(item).dataset.was = body.value;
      } catch (error) {
        refused += 1;
        say(`${body.section}.${body.item}: ${error.message}`, "bad");
      }
    }
    if (refused) return this.look();
    forget(this.form);
    this.saved = true;
    location.reload();
  }
});
