// Loaded before the page is drawn.
// The colours that this browser was asked for, and the choice of them
const chosen = () => localStorage.getItem("mar-colours") || "";
const show = () => (document.documentElement.dataset.colours = chosen());
show();

customElements.define("mar-theme", class extends HTMLElement {
  connectedCallback() {
    queueMicrotask(() => {
      const select = this.querySelector("select");
      if (!select) return document.addEventListener("DOMContentLoaded", () => this.connectedCallback(), { once: true });
      select.value = chosen();
      select.addEventListener("change", () => { localStorage.setItem("mar-colours", select.value); show(); });
    });
  }
});

// A form that somebody sends before its script is there waits for it
document.addEventListener("submit", (event) => {
  const host = event.target.closest("mar-call, mar-process, mar-query, mar-settings");
  if (!host || host.matches(":defined")) return;
  event.preventDefault();
  customElements.whenDefined(host.localName).then(() => setTimeout(() => event.target.requestSubmit(event.submitter)));
}, true);

// On a phone the menu is one line: the page's own entry is brought into view
document.addEventListener("DOMContentLoaded", () => {
  const [nav, here] = [document.querySelector(".menu nav"), document.querySelector(".menu [aria-current]")];
  if (nav && here) nav.scrollLeft = here.offsetLeft - nav.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
});
