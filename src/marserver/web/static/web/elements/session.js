// <mar-session>: says when the session has ended, the server is away or an operation of the user failed, and keeps what was typed.
// <mar-messages>: sentences that come and go.
const DRAFTS = "form[data-draft]";
const NEWS_MS = 10_000; // between two questions for news
const AGAIN_MS = 3000; // while something is wrong
const LEAVING_MS = 300; // a page that is left breaks off its questions: that is no trouble

// What was typed, by page and form, for as long as the tab is open
const place = (form) => `mar-draft ${location.pathname} ${form.dataset.draft}`;
const called = (one) => one.name || one.dataset.at; // what is no parameter of a call has no name
const ticks = (one) => one.matches("[type=checkbox],[type=radio]");
const worth = (one) => (ticks(one) ? one.dataset.value ?? one.dataset.add ?? one.value : one.value); // tells boxes of one name apart
const fields = (form) => [...form.elements].filter((one) => called(one) && !["password", "hidden", "file"].includes(one.type));

const changed = (one) => one.options ? !one.selectedOptions[0]?.defaultSelected : ticks(one) ? one.checked !== one.defaultChecked : one.value !== one.defaultValue;

function keep(form) {
  if (!form) return;
  const typed = fields(form).filter(changed).map((one) => [called(one), worth(one), ticks(one) ? one.checked : null]);
  sessionStorage.setItem(place(form), JSON.stringify(typed));
}

export function forget(form) { if (form.matches(DRAFTS)) sessionStorage.removeItem(place(form)); }

function restore(form) {
  const kept = JSON.parse(sessionStorage.getItem(place(form)) || "[]");
  for (const [name, value, checked] of kept) {
    const one = fields(form).find((field) => called(field) === name && (checked === null || worth(field) === value));
    if (!one) continue;
    if (checked === null) one.value = value;
    else one.checked = checked;
  }
  if (!kept.length) return;
  form.dataset.restored = "";
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

// An open dialog covers the page: what is said stands in it until it closes
const above = (element, home, way) => { const place = [...document.querySelectorAll("dialog[open]")].pop() ?? home; if (element.parentElement !== place) place[way](element); };
const messages = document.querySelector("mar-messages");
document.addEventListener("close", () => { document.body.append(messages); document.querySelector("main").prepend(document.querySelector("mar-session")); }, true);

export function say(text, kind = "good", link = "") {
  const line = document.createElement("p");
  line.className = kind;
  line.append(link ? Object.assign(document.createElement("a"), { href: link, textContent: text }) : text);
  above(messages, document.body, "append");
  messages.append(line);
  setTimeout(() => line.remove(), kind === "bad" ? 20000 : 6000);
  line.addEventListener("click", () => line.remove());
}

const bar = () => document.querySelector("mar-session");

export const session = {
  ended() { bar().tell("ended"); },
  away() { bar().tell("away"); },
  fine() { if (!bar().hidden) bar().clear(); },
  ask() { return bar().ask(); }, // whether the session is there; the page's token is then the newest
};

customElements.define("mar-session", class extends HTMLElement {
  connectedCallback() {
    if (this.since) return; // it moves into dialogs and back
    this.since = this.dataset.now;
    this.failed = new Set();
    if (this.hasAttribute("news")) this.wait();
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
  // Every page asks now and then: a session that ended, a server that is away or back and an operation that failed are seen on each
  wait() { clearTimeout(this.later); this.later = setTimeout(() => (document.hidden ? this.wait() : this.ask()), this.hidden ? NEWS_MS : AGAIN_MS); }
  async ask() {
    try {
      const answer = await fetch(`${this.getAttribute("news")}?since=${this.since}`);
      if (!answer.ok) throw new Error("no news");
      return this.hear(await answer.json());
    } catch {
      setTimeout(() => this.tell("away"), LEAVING_MS);
      return false;
    } finally { this.wait(); }
  }
  hear({ session: alive, token, now, failed }) {
    if (!alive) { this.tell("ended"); return false; }
    document.querySelector("meta[name=csrf-token]").content = token; // a login in another tab changes it
    session.fine();
    this.since = now;
    for (const one of failed.filter(({ page }) => !this.failed.has(page))) {
      this.failed.add(one.page);
      say(`${one.title} failed: ${one.error}`, "bad", one.page);
    }
    return true;
  }
  tell(kind) {
    above(this, document.querySelector("main"), "prepend");
    if (this.dataset.kind === kind && !this.hidden) return;
    this.dataset.kind = kind;
    this.setAttribute("role", "alert");
    this.replaceChildren(kind === "ended" ? this.again() : "The server does not answer, it may be starting again. This page tries by itself; nothing that you typed is lost.");
    this.hidden = false;
    if (this.hasAttribute("news")) this.wait();
  }
  again() {
    const words = document.createElement("span");
    const link = document.createElement("a");
    link.href = this.getAttribute("login");
    link.addEventListener("click", () => { link.href = this.getAttribute("login") + "?next=" + encodeURIComponent(location.pathname + location.search + location.hash); });
    link.textContent = "Log in again";
    words.append("Your session has ended: nothing was changed. ", link, " and you come back to this page, with what you typed.");
    return words;
  }
  clear() { this.hidden = true; this.replaceChildren(); }
});

function plainly(answer) {
  try { return JSON.parse(answer.responseText).msg; }
  catch { return answer.responseText.slice(0, 300) || `the server answered ${answer.status}`; }
}
