// Runs before anything is drawn, so that nothing flashes: the system's theme, unless one was chosen.
(() => {
  const page = document.documentElement;
  if (page.dataset.themeChoice !== "system") return;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    if (dark.matches) page.setAttribute("data-bs-theme", "dark");
    else page.removeAttribute("data-bs-theme");
  };
  apply();
  dark.addEventListener("change", apply);
})();
