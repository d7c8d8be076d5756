// <mar-viewer data-url="/view/tile/3">: an image at any zoom, what lies on it, and others to blink with.
// All that is chosen stands in the address of the page: x, y (FITS pixel in the middle), zoom (pixels of the screen for one of the
// image), limits or low and high, stretch, invert, mask (sum of bits), marks, blink (keys as tile-4; a bare id is of the same kind), every.
import { session } from "./session.js";
import { Layer } from "./layers.js";
import { Marks } from "./marks.js";
import { degrees, hours, toSky } from "./sky.js";

const SOON = 120; // ms between two questions for what is under the cursor
const digits = (value) => (value === null ? "no value" : Number(value.toPrecision(6)).toString());

async function ask(url, words = false) {
  let answer;
  try { answer = await fetch(url, { headers: { "HX-Request": "true", Accept: words ? "text/html, application/json" : "application/json" } }); }
  catch { session.away(); throw new Error("The server does not answer."); }
  if (answer.status === 401) session.ended();
  else session.fine();
  if (answer.ok) return words ? answer.text() : answer.json();
  const told = await answer.text();
  let sentence = told;
  try { sentence = JSON.parse(told).msg; } catch { /* it is the sentence itself */ }
  throw new Error(sentence);
}

customElements.define("mar-viewer", class extends HTMLElement {
  connectedCallback() {
    const part = (name) => this.querySelector(name);
    Object.assign(this, { url: this.dataset.url, form: part("form"), told: part(".told"), cursor: part(".cursor"), pixels: part(".pixels"), now: part(".now"), layers: new Map() });
    this.marks = new Marks(part(".marks"));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("click", (event) => event.target.closest("[data-do]") && this.act(event.target.closest("[data-do]").dataset.do));
    this.begin().catch((error) => this.tell(error.message));
  }
  disconnectedCallback() { clearInterval(this.clock); this.listening?.abort(); this.viewer?.destroy(); }
  tell(words) { this.told.textContent = words; this.told.hidden = !words; }
  field(name) { return this.form.elements[name]; }
  chosen(name) { return [...this.form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value); }

  async begin() {
    const info = await ask(`${this.url}/info`);
    this.viewer = new OpenSeadragon.Viewer({
      element: this.pixels, drawer: "canvas", prefixUrl: "", showNavigationControl: false, imageSmoothingEnabled: false, animationTime: 0.4, springStiffness: 10,
      maxZoomPixelRatio: 24, minZoomImageRatio: 0.5, visibilityRatio: 0.2, imageLoaderLimit: 4, tileRetryMax: 4, tileRetryDelay: 1500, timeout: 60000,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true }, gestureSettingsTouch: { dblTapToZoom: true },
    });
    this.base = this.visible = new Layer(this.viewer, this.url, info);
    this.base.opacity = 1;
    this.layers.set(info.key, this.base);
    this.remember(new URLSearchParams(location.search));
    await this.base.draw(this.choice(info));
    this.tell("");
    this.listen();
    this.goTo(new URLSearchParams(location.search));
    this.changed();
  }

  // What was chosen, from the address and into it
  remember(asked) {
    for (const name of ["limits", "low", "high", "stretch", "every"]) if (this.field(name) && asked.get(name)) this.field(name).value = asked.get(name);
    if (this.field("limits") && asked.get("low") && asked.get("high")) this.field("limits").value = "hand";
    if (this.field("limits")?.selectedIndex === -1) this.field("limits").selectedIndex = 0;
    if (this.field("stretch")?.selectedIndex === -1) this.field("stretch").selectedIndex = 0;
    if (this.field("invert")) this.field("invert").checked = asked.has("invert");
    const kind = this.base.info.key.split("-")[0], bits = Number(asked.get("mask")) || 0;
    const blink = (asked.get("blink") || "").split(",").flatMap((key) => (/^\d+$/.test(key) ? [`${kind}-${key}`, `trimmed-${key}`] : [key])), marks = (asked.get("marks") || "").split(",");
    for (const box of this.form.querySelectorAll("[type=checkbox]")) {
      if (box.name === "bit") box.checked = Boolean(bits & box.value);
      if (box.name === "blink") box.checked = blink.includes(box.value);
      if (box.name === "marks") box.checked = marks.includes(box.value);
    }
  }
  goTo(asked) {
    const [x, y, zoom] = ["x", "y", "zoom"].map((name) => Number(asked.get(name)));
    if (!(x && y && zoom > 0)) return this.viewer.viewport.goHome(true);
    this.viewer.viewport.zoomTo(this.base.zoom(zoom), null, true);
    this.viewer.viewport.panTo(this.base.viewport(x, y), true);
  }
  keep() {
    const middle = this.middle(), named = this.field("limits")?.value, asked = new URLSearchParams();
    asked.set("x", middle.x.toFixed(1));
    asked.set("y", middle.y.toFixed(1));
    asked.set("zoom", Number(this.zoom().toPrecision(4)));
    if (named === "hand") for (const name of ["low", "high"]) asked.set(name, this.field(name).value);
    else if (named && named !== "zscale") asked.set("limits", named);
    if (this.field("stretch") && this.field("stretch").value !== "linear") asked.set("stretch", this.field("stretch").value);
    if (this.field("invert")?.checked) asked.set("invert", "1");
    if (this.bits()) asked.set("mask", this.bits());
    for (const name of ["marks", "blink"]) if (this.chosen(name).length) asked.set(name, this.chosen(name).join(","));
    if (this.field("every") && this.field("every").value !== this.field("every").defaultValue) asked.set("every", this.field("every").value);
    history.replaceState(history.state, "", `?${asked}`);
  }
  bits() { return this.chosen("bit").reduce((sum, bit) => sum + Number(bit), 0); }
  zoom() { return this.base.zoomed(this.viewer.viewport.getZoom()); }
  middle() { return this.base.fits(this.viewer.viewport.getCenter()); }
  // Limits of an image: its own of that name, or those typed
  choice(info) {
    if (!info.limits) return {};
    const named = this.field("limits").value, [low, high] = info.limits[named] || [this.field("low").value, this.field("high").value];
    return { low, high, stretch: this.field("stretch").value, invert: this.field("invert").checked ? 1 : 0 };
  }

  // What happens
  listen() {
    const { viewer } = this, signal = (this.listening = new AbortController()).signal;
    this.form.addEventListener("change", (event) => this.changed(event.target));
    viewer.addHandler("update-viewport", () => this.marks.draw(this.base));
    viewer.addHandler("animation-finish", () => { this.keep(); this.seek(); });
    viewer.addHandler("resize", () => this.marks.draw(this.base));
    viewer.addHandler("canvas-key", (event) => (event.preventDefaultAction = true)); // the keys are ours
    viewer.addHandler("canvas-click", (event) => event.quick && this.read(this.visible.fits(viewer.viewport.pointFromPixel(event.position))));
    viewer.addHandler("tile-load-failed", () => this.wonder());
    this.pixels.addEventListener("pointermove", (event) => this.point(event), { signal });
    this.pixels.addEventListener("pointerleave", () => { this.at = null; this.cursor.textContent = ""; }, { signal });
    document.addEventListener("keydown", (event) => this.key(event), { signal });
  }
  changed(field) {
    const named = this.field("limits");
    if (named) {
      if (field && (field.name === "low" || field.name === "high")) named.value = "hand";
      this.fill();
      const [low, high] = ["low", "high"].map((name) => Number(this.field(name).value));
      this.field("high").setCustomValidity(low < high || !this.visible.info.limits ? "" : "White must be above black.");
      if (!this.form.reportValidity()) return;
      for (const layer of this.layers.values()) layer.draw(this.choice(layer.info)).catch((error) => this.tell(error.message));
    }
    if (!field || field.name === "bit") this.cover();
    if (!field || field.name === "blink") this.gather();
    if (!field || field.name === "marks") this.seek();
    if (field?.name === "every" && this.clock) { this.blink(false); this.blink(true); }
    this.keep();
  }
  // The numbers of the limits of what is shown; a colour image has none
  fill() {
    const named = this.field("limits"), own = this.visible.info.limits;
    if (named) named.closest("fieldset").hidden = !own;
    if (named && own && named.value !== "hand") [this.field("low").value, this.field("high").value] = own[named.value];
  }
  // Load the images to blink with, and let go of those no longer wanted
  async gather() {
    const wanted = this.chosen("blink");
    for (const [key, layer] of this.layers) if (layer !== this.base && !wanted.includes(key)) {
      if (layer === this.visible) this.show(this.base);
      layer.remove();
      this.layers.delete(key);
    }
    for (const key of wanted) if (!this.layers.has(key)) {
      const url = `/view/${key.replace("-", "/")}`;
      try {
        const info = await ask(`${url}/info?on=${this.base.info.key}`);
        if (this.layers.has(key) || !this.chosen("blink").includes(key)) continue;
        const layer = new Layer(this.viewer, url, info, this.base.info);
        this.layers.set(key, layer);
        await layer.draw(this.choice(info));
        layer.cover(this.bits(), layer === this.visible);
        this.now.textContent = `${info.title} is ready: press b or space.`;
      } catch (error) { this.now.textContent = error.message; }
    }
  }
  cover() { for (const layer of this.layers.values()) layer.cover(this.bits(), layer === this.visible); }
  show(layer) {
    this.visible = layer;
    for (const one of this.layers.values()) one.show(one === layer);
    if (this.now) this.now.textContent = `Shown: ${layer.info.title}`;
    this.fill();
    this.point();
  }
  step() {
    const ready = [...this.layers.values()].filter((layer) => layer.item);
    if (ready.length < 2 && this.now) this.now.textContent = "Choose what to blink with first.";
    this.show(ready[(ready.indexOf(this.visible) + 1) % ready.length]);
  }
  blink(on = !this.clock) {
    const button = this.form.querySelector("[data-do=blink]");
    clearInterval(this.clock);
    this.clock = on && button ? setInterval(() => this.step(), 1000 * Math.max(0.1, Number(this.field("every").value) || 0.8)) : 0;
    button?.setAttribute("aria-pressed", String(Boolean(this.clock)));
    this.now?.setAttribute("aria-live", this.clock ? "off" : "polite");
  }

  // Keys and buttons
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) return;
    if (event.key === " " && event.target.closest("button, input, summary, a")) return;
    const does = { "+": "in", "=": "in", "-": "out", f: "fit", 1: "full", b: "blink", " ": "step", m: "mask", c: "sources", r: "reference", i: "read", ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!does || (does.length < 6 && event.key.startsWith("Arrow") && event.target.closest(".panel, .menu"))) return;
    event.preventDefault();
    this.act(does);
  }
  act(does) {
    const { viewport } = this.viewer ?? {};
    if (!viewport || !this.base.item) return;
    const bounds = viewport.getBounds(), move = (x, y) => { viewport.panBy(new OpenSeadragon.Point((x * bounds.width) / 6, (y * bounds.height) / 6)); viewport.applyConstraints(); };
    const acts = {
      in: () => viewport.zoomBy(1.6).applyConstraints(), out: () => viewport.zoomBy(1 / 1.6).applyConstraints(), fit: () => viewport.goHome(), full: () => viewport.zoomTo(this.base.zoom(1)),
      left: () => move(-1, 0), right: () => move(1, 0), up: () => move(0, -1), down: () => move(0, 1),
      blink: () => this.blink(), step: () => this.step(), mask: () => this.toggle("bit"), sources: () => this.toggle("marks", "sources"), reference: () => this.toggle("marks", "reference"),
      read: () => this.read(this.at ? this.visible.fits(this.at) : this.visible.fits(viewport.getCenter())),
    };
    acts[does]();
  }
  // Tick or untick boxes of a name; all bits of the mask together
  toggle(name, value) {
    const boxes = [...this.form.querySelectorAll(`[name=${name}]`)].filter((box) => !value || box.value === value);
    if (!boxes.length) return;
    const on = !boxes.some((box) => box.checked);
    boxes.forEach((box) => (box.checked = on));
    this.changed(boxes[0]);
  }

  // What is under the cursor: place and sky at once, the value as fast as the server answers
  point(event) {
    if (event) this.at = this.viewer.viewport.pointFromPixel(new OpenSeadragon.Point(event.clientX - this.pixels.getBoundingClientRect().left, event.clientY - this.pixels.getBoundingClientRect().top));
    if (!this.at || !this.visible.item) return;
    const { info } = this.visible, { x, y } = this.visible.fits(this.at);
    if (x < 0.5 || y < 0.5 || x > info.width + 0.5 || y > info.height + 0.5) { this.cursor.textContent = ""; return; }
    this.write(x, y);
    if (info.limits) this.wish({ x: Math.round(x), y: Math.round(y), layer: this.visible });
  }
  write(x, y) {
    const sky = toSky(this.visible.info.lattice, x, y), known = this.known && this.known.layer === this.visible ? this.known : null;
    const parts = [`x ${x.toFixed(1)}  y ${y.toFixed(1)}`];
    if (sky) parts.push(`${hours(sky[0])} ${degrees(sky[1])}`);
    if (known) parts.push(`${digits(known.value)} ${this.visible.info.unit}`.trim(), known.bits.join(", "));
    this.cursor.textContent = parts.filter(Boolean).join("   ");
  }
  async wish(wanted) {
    this.wanted = wanted;
    if (this.asking) return;
    this.asking = true;
    while (this.wanted) {
      const { x, y, layer } = this.wanted;
      this.wanted = null;
      try { this.known = { ...(await ask(`${layer.url}/value?x=${x}&y=${y}`)), layer }; }
      catch { this.known = null; }
      if (this.at && this.visible === layer) { const at = layer.fits(this.at); this.write(at.x, at.y); }
      await new Promise((later) => setTimeout(later, SOON));
    }
    this.asking = false;
  }
  // All about one pixel, and for a tile the frames it comes from
  async read({ x, y }) {
    const place = this.querySelector(".pixel"), layer = this.visible;
    if (!layer.info.limits) return;
    [x, y] = [Math.round(x), Math.round(y)];
    const base = layer === this.base ? { x, y } : this.base.fits(layer.viewport(x, y));
    this.marks.pixel = base;
    this.marks.draw(this.base);
    try {
      const found = await ask(`${layer.url}/value?x=${x}&y=${y}`);
      const facts = [["Pixel", `${x}, ${y}`], ["Value", `${digits(found.value)} ${layer.info.unit}`.trim()]];
      if (found.ra !== null) facts.push(["RA, Dec", `${hours(found.ra)} ${degrees(found.dec)}`], ["degrees", `${found.ra.toFixed(6)} ${found.dec.toFixed(6)}`]);
      if (found.bits.length) facts.push(["Mask", found.bits.join(", ")]);
      const list = document.createElement("dl");
      list.className = "facts";
      for (const [name, words] of facts) for (const [tag, text] of [["dt", name], ["dd", words]]) list.append(Object.assign(document.createElement(tag), { textContent: text }));
      place.replaceChildren(Object.assign(document.createElement("h3"), { textContent: layer.info.title }), list);
      if (this.dataset.origin === undefined) return;
      const frames = document.createElement("div");
      frames.innerHTML = await ask(`${this.url}/origin?x=${Math.round(base.x)}&y=${Math.round(base.y)}&zoom=${Number(this.zoom().toPrecision(3))}`, true);
      place.append(frames);
    } catch (error) { place.replaceChildren(Object.assign(document.createElement("p"), { className: "bad", textContent: error.message })); }
  }

  // Marks of what is in view
  async seek() {
    const words = this.querySelector(".marked"), wanted = this.chosen("marks"), turn = (this.sought = (this.sought || 0) + 1), said = [];
    for (const which of Object.keys(this.marks.found)) if (!wanted.includes(which)) delete this.marks.found[which];
    const box = this.viewer.viewport.getBounds(), one = this.base.fits(box.getTopLeft()), other = this.base.fits(box.getBottomRight());
    const clip = (value) => Math.min(Math.max(value, -1e6), 1e6).toFixed(1);
    for (const which of wanted) {
      const name = which === "sources" ? "sources" : "reference stars";
      try {
        const found = await ask(`${this.url}/catalogue?which=${which}&x0=${clip(one.x)}&x1=${clip(other.x)}&y0=${clip(other.y)}&y1=${clip(one.y)}`);
        if (turn !== this.sought) return;
        this.marks.found[which] = found.marks;
        said.push(found.count > found.marks.length ? `The ${found.marks.length} brightest of ${found.count} ${name} in view.` : `${found.count} ${name} in view.`);
      } catch (error) { said.push(error.message); }
    }
    if (words && turn === this.sought) words.textContent = said.join(" ");
    this.marks.draw(this.base);
  }
  // Why does a part not come?
  wonder() {
    if (this.wondering) return;
    this.wondering = true;
    setTimeout(() => (this.wondering = false), 5000);
    ask(`${this.url}/info`).then(() => this.tell(""), (error) => this.tell(error.message));
  }
});
