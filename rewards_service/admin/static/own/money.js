// The queue of review where scripts run: how many are chosen, and all of a page at once.
(() => {
  const form = document.querySelector("form[data-bulk]");
  if (!form) return;
  const picks = [...form.querySelectorAll("[data-pick]")];
  const count = form.querySelector("[data-bulk-count]");
  const all = form.querySelector("[data-pick-all]");
  const buttons = form.querySelectorAll("button[name=action]");
  if (!count || !all) return;
  count.setAttribute("role", "status");
  all.closest("[hidden]").hidden = picks.length === 0;
  const show = () => {
    const chosen = picks.filter((pick) => pick.checked).length;
    count.textContent = chosen ? `${chosen} chosen` : "Choose rewards above";
    all.checked = chosen > 0 && chosen === picks.length;
    all.indeterminate = chosen > 0 && chosen < picks.length;
    form.querySelector(".bulk").toggleAttribute("data-idle", chosen === 0);
    for (const button of buttons) button.disabled = chosen === 0;
  };
  all.addEventListener("change", () => {
    for (const pick of picks) pick.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  window.addEventListener("pageshow", show); // a page that comes back keeps its choice
  show();
})();
