// The colours that this browser was asked for, set before the page is first drawn, and the choice of them
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
