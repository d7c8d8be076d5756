// <mar-skymap>: the marks of the map are few paths; which field lies below the pointer is looked up in the list beside them.
const REACH = 9; // of the drawing's units

customElements.define("mar-skymap", class extends HTMLElement {
  connectedCallback() { queueMicrotask(() => this.ready()); }
  ready() {
    this.svg = this.querySelector("svg");
    this.fields = JSON.parse(this.querySelector("script").textContent);
    this.tip = this.querySelector("[data-at=tip]");
    this.ring = this.querySelector(".ring");
    if (!this.svg) return;
    this.svg.addEventListener("pointermove", (event) => this.point(this.nearest(event)));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("click", (event) => { const found = this.nearest(event); if (found) location.assign(this.getAttribute("field").replace("FIELD", encodeURIComponent(found[2]))); });
  }
  nearest(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.svg.getScreenCTM().inverse());
    let [best, least] = [null, REACH ** 2];
    for (const one of this.fields) {
      const away = (one[0] - at.x) ** 2 + (one[1] - at.y) ** 2;
      if (away < least) [best, least] = [one, away];
    }
    return best;
  }
  point(found) {
    this.ring.toggleAttribute("hidden", !found);
    this.svg.style.cursor = found ? "pointer" : "";
    if (found) { this.ring.setAttribute("cx", found[0]); this.ring.setAttribute("cy", found[1]); }
    this.tip.textContent = found ? `${found[2]}: ${found[3]} tiles, ${found[4]}` : this.tip.dataset.words;
  }
});
