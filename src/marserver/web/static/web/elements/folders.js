// The folder that is looked into is the one that is scanned
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-folder]");
  if (!button) return;
  const path = document.getElementById("scan-path");
  path.value = button.dataset.folder;
  path.dispatchEvent(new Event("input", { bubbles: true }));
});
