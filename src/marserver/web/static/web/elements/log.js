// <mar-log follow="URL"><ol>...</ol></mar-log>: adds lines as they are written, each once; `over` for a log that will not grow.
// text="..." shows only lines that hold it. The newest line stays in view unless somebody scrolled up.
import { session } from "./session.js";

const MOST = 5000;
const AGAIN_MS = 3000;
const level = (line) => (line.split(" ", 2)[1] || "").toLowerCase();

customElements.define("mar-log", class extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector("ol");
    this.list.querySelectorAll("li").forEach((line) => (line.dataset.level = level(line.textContent)));
    this.scroll();
    if (!this.hasAttribute("over")) this.follow();
  }
  disconnectedCallback() { this.source?.close(); clearTimeout(this.later); }
  follow() {
    this.seen = new Set([...this.list.children].map((line) => line.textContent));
    this.source = new EventSource(this.getAttribute("follow"));
    this.source.addEventListener("message", (event) => this.add(event.data));
    this.source.addEventListener("open", () => { clearTimeout(this.later); session.fine(); });
    this.source.addEventListener("error", () => { clearTimeout(this.later); this.later = setTimeout(() => this.lost(), AGAIN_MS); });
    this.source.addEventListener("end", () => { this.source.close(); this.dispatchEvent(new CustomEvent("mar-done", { bubbles: true })); });
  }
  // The browser connects again by itself, but for an answer that is an error: then it is asked what is wrong
  async lost() {
    try {
      const answer = await fetch(location.href, { method: "HEAD", headers: { "HX-Request": "true" } });
      if (answer.status === 401) session.ended();
    } catch { session.away(); }
    if (this.source.readyState === EventSource.CLOSED && this.isConnected) this.follow();
    else if (this.source.readyState !== EventSource.OPEN) this.later = setTimeout(() => this.lost(), AGAIN_MS);
  }
  add(text) {
    // Lines that the page brought with it come once more where a log is followed from its beginning
    if (this.seen.delete(text)) return;
    const wanted = (this.getAttribute("text") || "").toLowerCase();
    if (!text.toLowerCase().includes(wanted)) return;
    const atEnd = this.list.scrollTop + this.list.clientHeight > this.list.scrollHeight - 30;
    const line = document.createElement("li");
    line.textContent = text;
    line.dataset.level = level(text);
    this.list.querySelector(".faint")?.remove();
    this.list.append(line);
    while (this.list.children.length > MOST) this.list.firstChild.remove();
    if (atEnd) this.scroll();
  }
  scroll() { this.list.scrollTop = this.list.scrollHeight; }
});
