// Parts of a page that htmx asks for again and again. One that came back the same stays as it is; in one that changed, what was open
// stays open and the focus stays where it was: a page that moves can still be read, and used with a keyboard.
const last = new Map();
const label = (one) => one.id || [one.localName, one.getAttribute("aria-label") ?? one.textContent, one.getAttribute("href"), one.closest("form")?.elements.id?.value, one.closest("mar-call")?.getAttribute("path")].join("|");
const found = (part, name) => [...part.querySelectorAll("a, button, input, select, summary, [tabindex]")].find((one) => label(one) === name);

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse, requestConfig, xhr } = event.detail;
  if (!target.id || xhr.status !== 200) return;
  const asked = requestConfig?.triggeringEvent?.type === "mar-done"; // then rows may have been moved by hand
  if (last.get(target.id) === serverResponse && !asked) { event.detail.shouldSwap = false; return; }
  last.set(target.id, serverResponse);
  const focused = target.contains(document.activeElement) ? label(document.activeElement) : null;
  const open = [...target.querySelectorAll("details[open] > summary")].map(label);
  if (focused === null && !open.length) return;
  document.addEventListener("htmx:afterSwap", () => setTimeout(() => {
    const part = document.getElementById(target.id);
    if (!part) return;
    open.forEach((name) => found(part, name)?.parentElement.setAttribute("open", ""));
    if (focused !== null && document.activeElement === document.body) found(part, focused)?.focus();
  }), { once: true });
});
