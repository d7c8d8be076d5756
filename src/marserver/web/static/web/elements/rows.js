// <mar-rows>: rows (array of objects) as a table with images and links; sorted by a click on a column's head, filtered by text, paged,
// saved as CSV. Set .rows; nested arrays of rows are shown below a summary.
const AT_ONCE = 100;
const IMAGE = /\.(png|jpe?g)$/i;
const FILE = /\.(fits|fits\.fz|fz|log|txt|csv|cat|ldac|json|vot|xml|pdf)$/i;
const element = (name, attributes = {}, ...children) => {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
};
const media = (path) => "/media/" + String(path).replace(/^\/+/, "").split("/").map(encodeURIComponent).join("/");
const isPath = (value) => typeof value === "string" && !value.includes("\n") && !value.includes(" ") && (IMAGE.test(value) || FILE.test(value));

export function cell(value) {
  if (value === null || value === undefined) return element("span", { className: "faint", textContent: "–" });
  if (Array.isArray(value) || typeof value === "object") return nested(value);
  if (!isPath(value)) return document.createTextNode(String(value));
  const link = element("a", { href: media(value) });
  if (!IMAGE.test(value)) link.textContent = value.split("/").pop();
  else link.append(element("img", { src: media(value), alt: value, loading: "lazy", className: "thumb small" }));
  return link;
}

function nested(value) {
  const list = Array.isArray(value) ? value : [value];
  if (!list.length) return document.createTextNode("none");
  if (typeof list[0] !== "object" || list[0] === null) {
    const parts = list.map((one) => element("li", {}, cell(one)));
    return element("ul", {}, ...parts);
  }
  const details = element("details", {}, element("summary", { textContent: `${list.length} row${list.length === 1 ? "" : "s"}` }));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(plain(list));
  });
  return details;
}

// Rows of the archive lead to their pages; `pages` is where those of this table are
const PAGES = { finaltiles: "/tiles/", individualfile: "/frames/", fieldimage: "/images/", biasblock: "/blocks/biasblock/", flatblock: "/blocks/flatblock/", flatbyfilter: "/blocks/flatbyfilter/", sciblock: "/blocks/sciblock/", scibyfilter: "/blocks/scibyfilter/", superflat: "/blocks/superflat/" };
const link = (pages, value) => element("a", { href: pages + value, textContent: value });

const columns = (rows) => [...new Set(rows.flatMap((row) => Object.keys(row)))];

function plain(rows, pages) {
  const names = columns(rows);
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col", textContent: name })));
  const body = rows.map((row) => element("tr", {}, ...names.map((name) => element("td", {}, pages && name === "id" ? link(pages, row.id) : cell(row[name])))));
  return element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
}

const flat = (value) => (value === null || value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));
// A spreadsheet must not take a value for a formula
const quoted = (text) => { const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? "'" + text : text; return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe; };

export function csv(rows) {
  const names = columns(rows);
  return [names, ...rows.map((row) => names.map((name) => flat(row[name])))].map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n";
}

export function save(text, name, type = "text/csv") {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  URL.revokeObjectURL(link.href);
}

const compared = (one, other) => typeof one === "number" && typeof other === "number" ? one - other : flat(one).localeCompare(flat(other), "en", { numeric: true });

customElements.define("mar-rows", class extends HTMLElement {
  set rows(rows) {
    this.all = rows;
    this.page = 0;
    this.sorted = null;
    this.down = false;
    this.words = element("input", { type: "search" });
    this.words.addEventListener("input", () => { this.page = 0; this.draw(); });
    this.count = element("span", { className: "faint" });
    this.count.setAttribute("aria-live", "polite");
    const button = element("button", { type: "button", className: "quiet", textContent: "CSV" });
    button.addEventListener("click", () => save(csv(this.chosen()), `${this.getAttribute("name") || "rows"}.csv`));
    this.table = element("div", { className: "table", tabIndex: 0 });
    this.table.setAttribute("role", "region");
    this.table.setAttribute("aria-label", "Result");
    this.turn = element("div", { className: "inline" });
    this.replaceChildren(element("div", { className: "row" }, element("label", { textContent: "Filter " }, this.words), button, this.count), this.table, this.turn);
    this.draw();
  }
  chosen() {
    const wanted = this.words.value.toLowerCase();
    const found = wanted ? this.all.filter((row) => Object.values(row).some((value) => flat(value).toLowerCase().includes(wanted))) : [...this.all];
    if (this.sorted) found.sort((one, other) => compared(one[this.sorted], other[this.sorted]) * (this.down ? -1 : 1));
    return found;
  }
  draw() {
    const found = this.chosen();
    const pages = Math.max(1, Math.ceil(found.length / AT_ONCE));
    const shown = plain(found.slice(this.page * AT_ONCE, (this.page + 1) * AT_ONCE), PAGES[this.getAttribute("of")]);
    shown.querySelectorAll(":scope > thead th").forEach((head) => this.sortable(head));
    this.table.replaceChildren(shown);
    this.count.textContent = `${found.length} row${found.length === 1 ? "" : "s"}` + (pages > 1 ? `, page ${this.page + 1} of ${pages}` : "");
    this.turn.replaceChildren(...(pages > 1 ? [this.leaf("Before", -1, this.page > 0), this.leaf("Next", 1, this.page < pages - 1)] : []));
  }
  sortable(head) {
    const name = head.textContent;
    const button = element("button", { type: "button", className: "sort", textContent: name + (this.sorted === name ? (this.down ? " ↓" : " ↑") : "") });
    if (this.sorted === name) head.setAttribute("aria-sort", this.down ? "descending" : "ascending");
    button.addEventListener("click", () => { this.down = this.sorted === name && !this.down; this.sorted = name; this.draw(); });
    head.replaceChildren(button);
  }
  leaf(word, step, possible) {
    const button = element("button", { type: "button", className: "quiet", textContent: word, disabled: !possible });
    button.addEventListener("click", () => { this.page += step; this.draw(); });
    return button;
  }
});
