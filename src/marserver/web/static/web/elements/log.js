// <mar-log follow="URL"><ol>...</ol></mar-log>: adds lines as they are written, each once; `over` for a log that will not grow.
// text="..." shows only lines that hold it. The newest line stays in view unless somebody scrolled up.
const MOST = 5000;
const level = (line) => (line.split(" ", 2)[1] || "").toLowerCase();

customElements.define("mar-log", class extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector("ol");
    this.list.querySelectorAll("li").forEach((line) => (line.dataset.level = level(line.textContent)));
    this.scroll();
    if (!this.hasAttribute("over")) this.follow();
  }
  disconnectedCallback() { this.source?.close(); }
  follow() {
    this.seen = new Set([...this.list.children].map((line) => line.textContent));
    this.source = new EventSource(this.getAttribute("follow"));
    this.source.addEventListener("message", (event) => this.add(event.data));
    this.source.addEventListener("end", () => { this.source.close(); this.dispatchEvent(new CustomEvent("mar-done", { bubbles: true })); });
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
