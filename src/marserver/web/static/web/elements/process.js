// <mar-process>: a <mar-call> that can first be asked what it would do. The plan changes nothing.
import { call, parameters } from "./call.js";
import { say } from "./session.js";

const Call = customElements.get("mar-call");
const make = (name, attributes = {}, ...children) => { const made = Object.assign(document.createElement(name), attributes); made.append(...children); return made; };

customElements.define("mar-process", class extends Call {
  ready() {
    super.ready();
    this.querySelector("[data-plan]")?.addEventListener("click", () => this.plan());
  }
  async plan() {
    const place = this.querySelector("[data-at=plan]");
    this.setAttribute("aria-busy", "true");
    try {
      const told = await call(this.path, { ...parameters(this.form), plan: true });
      place.replaceChildren(...drawn(told));
    } catch (error) {
      say(error.message, "bad");
    } finally {
      this.removeAttribute("aria-busy");
    }
  }
});

function drawn({ msg, plan }) {
  const parts = [make("h3", { textContent: "What would be done" }), make("p", { textContent: msg })];
  if (plan.refused) parts.push(make("p", { className: "bad", textContent: plan.refused }));
  const { used = [], dropped = [] } = plan.frames || {};
  if (used.length) parts.push(list(`${used.length} frame${used.length === 1 ? "" : "s"} used`, used.map((one) => `${one.file_name}: ${(one.steps || []).join(" ")}`)));
  if (dropped.length) parts.push(list(`${dropped.length} frame${dropped.length === 1 ? "" : "s"} left out`, dropped.map((one) => `${one.file_name}: ${one.reason}`), true));
  for (const master of plan.masters || []) parts.push(masterOf(master));
  for (const tile of plan.tiles || []) if (typeof tile === "object") parts.push(make("p", { textContent: `tile ${[tile.field, tile.band].filter(Boolean).join(" ")}${tile.frames !== undefined ? `: ${Array.isArray(tile.frames) ? tile.frames.length : tile.frames} frames` : ""}` }));
  return [make("div", { className: "card plan" }, ...parts)];
}

function list(title, lines, open = false) {
  return make("details", { open }, make("summary", { textContent: title }), make("ul", {}, ...lines.map((line) => make("li", { textContent: line }))));
}

function masterOf(master) {
  const name = [master.kind, master.band].filter(Boolean).join(" ");
  const line = master.chosen === null ? make("span", { className: "bad", textContent: `${name}: ${master.fails || master.why}` }) : make("span", { textContent: `${name} ${master.chosen}: ${master.why}` });
  const others = (master.candidates || []).map((one) => {
    const rules = Object.entries(one.rules || {}).map(([rule, held]) => `${held ? "✓" : "✗"} ${rule}`).join("  ");
    return `${master.kind} ${one.id}, ${one.blockStartDate} to ${one.blockEndDate}: ${rules}`;
  });
  return make("details", {}, make("summary", {}, line), make("ul", {}, ...others.map((words) => make("li", { textContent: words }))));
}
