// <mar-calendar>: nights and blocks by FullCalendar; a drag over days, or the button, opens the form of a new block, which counts
// the frames that it would hold before it is made.
const PHONE = "(max-width: 50rem)";
const WAIT_MS = 250;
const day = (date) => new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 10);

customElements.define("mar-calendar", class extends HTMLElement {
  connectedCallback() {
    this.at = (name) => this.querySelector(`[data-at=${name}]`);
    this.dialog = this.at("dialog");
    this.draw();
    if (!this.dialog) return;
    this.form = this.at("form");
    this.addEventListener("click", (event) => {
      if (event.target.dataset.do === "new") this.open();
      if (event.target.dataset.do === "close") { this.form.reset(); this.dialog.close(); }
    });
    this.dialog.addEventListener("cancel", () => this.form.reset());
    this.dialog.addEventListener("close", () => this.calendar.unselect());
    this.form.addEventListener("input", () => this.look());
    this.form.addEventListener("reset", () => setTimeout(() => this.look()));
    if (this.dialog.dataset.open !== undefined || this.form.dataset.restored !== undefined) this.open();
  }
  draw() {
    const phone = matchMedia(PHONE);
    const asked = new URLSearchParams(location.search).get("view");
    this.calendar = new FullCalendar.Calendar(this.at("calendar"), {
      initialView: asked ?? (phone.matches ? "listMonth" : "dayGridMonth"), initialDate: this.getAttribute("date"), timeZone: "local", firstDay: 1, height: "auto",
      headerToolbar: { left: "prev,next today", center: "title", right: "dayGridMonth,dayGridWeek,listMonth" },
      buttonIcons: false, buttonText: { prev: "←", next: "→", today: "Today", dayGridMonth: "Month", dayGridWeek: "Week", listMonth: "List" },
      views: { dayGridMonth: { dayMaxEvents: 6 } }, listDayFormat: ({ date: { year, month, day: number } }) => [year, month + 1, number].map((part) => String(part).padStart(2, "0")).join("-"), noEventsContent: "No night and no block here",
      events: ({ startStr, endStr }) => this.events(startStr, endStr), eventOrder: "order,title", eventDisplay: "block", selectable: Boolean(this.dialog), unselectAuto: false,
      select: (range) => this.open(day(range.start), day(new Date(range.end.getTime() - 43200000))),
      datesSet: ({ view }) => this.remember(view),
    });
    this.calendar.render();
    for (const [name, word] of [["prev", "Before"], ["next", "Next"]]) this.querySelector(`.fc-${name}-button`).setAttribute("aria-label", word);
    phone.addEventListener("change", () => this.calendar.changeView(phone.matches ? "listMonth" : "dayGridMonth"));
  }
  async events(start, end) {
    const answer = await this.part(this.getAttribute("events"), { start, end });
    return answer ? answer.json() : [];
  }
  // A part of the page, or null where there is none: a session that has ended, or a server that is away, is told above
  async part(path, asked) {
    const { session, say } = await import("./session.js");
    let answer;
    try { answer = await fetch(`${path}?${new URLSearchParams(asked)}`, { headers: { "HX-Request": "true" } }); } catch { session.away(); return null; }
    if (answer.ok) { session.fine(); return answer; }
    if (answer.status === 401) session.ended();
    else say("the calendar cannot be read", "bad");
    return null;
  }
  remember(view) {
    const words = new URLSearchParams({ date: day(view.currentStart).slice(0, view.type.endsWith("Month") ? 7 : 10), view: view.type });
    history.replaceState(null, "", "?" + words);
  }
  open(first, last) {
    if (first) { this.form.elements.startDate.value = first; this.form.elements.endDate.value = last; this.form.dispatchEvent(new Event("input", { bubbles: true })); }
    this.dialog.showModal();
    this.look();
  }
  // The kind decides where the form is sent and whether it has a band
  look() {
    const kind = this.at("kind");
    const ofABand = kind.selectedOptions[0].dataset.ofABand !== undefined;
    const call = this.at("call");
    call.setAttribute("path", `/reduction/${kind.value}`);
    call.dataset.then = kind.value === "superflat" ? "/operations/{job}" : this.getAttribute("block").replace("KIND", kind.value).replace("/0", "/{id}");
    Object.assign(this.at("band"), { disabled: !ofABand, required: ofABand });
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.count(), WAIT_MS);
  }
  async count() {
    const { startDate, endDate, band, contains } = this.form.elements;
    const asked = { kind: this.at("kind").value, start: startDate.value, end: endDate.value, band: band.value, contains: contains.value };
    const answer = await this.part(this.getAttribute("count"), asked);
    if (answer) this.at("count").innerHTML = await answer.text();
  }
});
