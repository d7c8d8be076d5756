// <mar-session>: says when the session has ended or the server is away, and keeps what was typed.
// <mar-messages>: sentences that come and go.
const DRAFTS = "form[data-draft]";

// What was typed, by page and form, for as long as the tab is open
const place = (form) => `mar-draft ${location.pathname} ${form.dataset.draft}`;
const fields = (form) => [...form.elements].filter((one) => one.name && !["password", "hidden", "file"].includes(one.type));

const changed = (one) => one.options ? !one.selectedOptions[0]?.defaultSelected : one.matches("[type=checkbox],[type=radio]") ? one.checked !== one.defaultChecked : one.value !== one.defaultValue;

function keep(form) {
  if (!form) return;
  const typed = fields(form).filter(changed).map((one) => [one.name, one.value, one.matches("[type=checkbox],[type=radio]") ? one.checked : null]);
  sessionStorage.setItem(place(form), JSON.stringify(typed));
}

export function forget(form) { if (form.matches(DRAFTS)) sessionStorage.removeItem(place(form)); }

function restore(form) {
  const kept = JSON.parse(sessionStorage.getItem(place(form)) || "[]");
  for (const [name, value, checked] of kept) {
    const one = fields(form).find((field) => field.name === name && (checked === null || field.value === value));
    if (!one) continue;
    if (checked === null) one.value = value;
    else one.checked = checked;
  }
  if (kept.length) form.dispatchEvent(new Event("input", { bubbles: true }));
}

export function say(text, kind = "good") {
  const line = document.createElement("p");
  line.className = kind;
  line.textContent = text;
  document.querySelector("mar-messages").append(line);
  setTimeout(() => line.remove(), kind === "bad" ? 20000 : 6000);
  line.addEventListener("click", () => line.remove());
}

export const session = {
  ended() { trouble("ended"); },
  away() { trouble("away"); },
  fine() { const bar = document.querySelector("mar-session"); if (!bar.hidden) bar.clear(); },
};

function trouble(kind) { document.querySelector("mar-session").tell(kind); }

customElements.define("mar-session", class extends HTMLElement {
  connectedCallback() {
    document.addEventListener("htmx:responseError", (event) => this.judge(event.detail.xhr));
    document.addEventListener("htmx:sendError", () => this.tell("away"));
    document.addEventListener("htmx:afterOnLoad", (event) => event.detail.successful && session.fine()); // it comes after an error, too
    document.addEventListener("input", (event) => keep(event.target.closest(DRAFTS)));
    document.addEventListener("reset", (event) => forget(event.target));
    document.querySelectorAll(DRAFTS).forEach(restore);
  }
  judge(answer) {
    if (answer.status === 401 || answer.status === 403 && answer.responseText.includes("CSRF")) return this.tell("ended");
    say(plainly(answer), "bad");
  }
  tell(kind) {
    if (this.dataset.kind === kind && !this.hidden) return;
    this.dataset.kind = kind;
    this.setAttribute("role", "alert");
    this.replaceChildren(kind === "ended" ? this.again() : "The server does not answer. This page tries again by itself; nothing that you typed is lost.");
    this.hidden = false;
  }
  again() {
    const words = document.createElement("span");
    const link = document.createElement("a");
    link.href = this.getAttribute("login") + "?next=" + encodeURIComponent(location.pathname + location.search);
    link.textContent = "Log in again";
    words.append("Your session has ended. What you typed is kept in this browser tab. ", link);
    return words;
  }
  clear() { this.hidden = true; this.replaceChildren(); }
});

function plainly(answer) {
  try { return JSON.parse(answer.responseText).msg; }
  catch { return answer.responseText.slice(0, 300) || `the server answered ${answer.status}`; }
}
