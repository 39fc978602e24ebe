// What went well is said in a corner, and goes by itself, unless it can be undone or is looked at.
// Without scripts it stays where it is, above the page. What went wrong always does.
(() => {
  const region = document.querySelector(".flashes");
  if (!region) return;
  const STAYS = 8000;
  const LEAVES = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250;

  const corner = document.createElement("div");
  corner.className = "toasts";
  region.append(corner);

  const remove = (toast) => {
    toast.dataset.leaving = "";
    setTimeout(() => toast.remove(), LEAVES);
  };
  const closer = (toast) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "toast-close", textContent: "×" });
    button.setAttribute("aria-label", "Close this message");
    button.addEventListener("click", () => remove(toast));
    return button;
  };
  for (const toast of [...region.querySelectorAll(".alert-success, .alert-info")]) {
    toast.append(closer(toast));
    corner.append(toast); // which screen readers hear, too
    if (toast.querySelector("[data-undo]")) continue;
    let timer = 0;
    const wait = () => { timer = setTimeout(() => remove(toast), STAYS); };
    const hold = () => clearTimeout(timer);
    const looked = () => toast.matches(":hover") || toast.contains(document.activeElement);
    toast.addEventListener("pointerenter", hold);
    toast.addEventListener("focusin", hold);
    for (const name of ["pointerleave", "focusout"]) {
      toast.addEventListener(name, () => { hold(); setTimeout(() => { if (!looked()) wait(); }); });
    }
    wait();
  }
})();
