// <mar-skymap>: the marks of the map are few paths; which field lies below the pointer is looked up in the list beside them.
// With the keyboard the map is one stop: arrows go to the nearest field in their direction, Enter opens it.
const REACH = 9; // of the drawing's units
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const ASIDE = 3; // a field far aside of the direction counts as so much farther

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
    this.svg.addEventListener("click", (event) => this.go(this.nearest(event)));
    this.link = this.querySelector("[data-at=link]");
    this.link?.addEventListener("keydown", (event) => this.key(event));
    this.link?.addEventListener("focus", () => this.choose(this.chosen ?? this.fields[0]));
    this.link?.addEventListener("blur", () => this.point(null));
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
  address(field) { return this.getAttribute("field").replace("FIELD", encodeURIComponent(field[2])); }
  go(field) { if (field) location.assign(this.address(field)); }
  key(event) {
    const way = ARROWS[event.key];
    if (!way || !this.chosen) return;
    event.preventDefault();
    const [x, y] = this.chosen;
    const far = (one) => { const along = (one[0] - x) * way[0] + (one[1] - y) * way[1]; return along > 0 ? along + ASIDE * Math.abs((one[0] - x) * way[1] + (one[1] - y) * way[0]) : Infinity; };
    let [best, least] = [null, Infinity];
    for (const one of this.fields) { const away = far(one); if (away < least) [best, least] = [one, away]; }
    if (best) this.choose(best);
  }
  // The field that the keyboard is at: its link is the one that Tab reaches
  choose(field) {
    if (!field) return;
    this.chosen = field;
    this.link.href = this.address(field);
    this.link.textContent = this.words(field);
    this.point(field);
    this.tip.textContent = "Enter opens it; arrow keys go to other fields.";
  }
  words(field) { return `${field[2]}: ${field[3]} tiles, ${field[4]}`; }
  point(found) {
    this.ring.toggleAttribute("hidden", !found);
    this.svg.style.cursor = found ? "pointer" : "";
    if (found) { this.ring.setAttribute("cx", found[0]); this.ring.setAttribute("cy", found[1]); }
    this.tip.textContent = found ? this.words(found) : this.tip.dataset.words;
  }
});
