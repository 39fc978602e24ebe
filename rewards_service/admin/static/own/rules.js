// The rule editor: shows what belongs to the chosen kind. Without it all of it is shown.
(() => {
  const form = document.querySelector("#rule");
  if (!form) return;
  const show = () => {
    for (const name of ["kind", "when"]) {
      const chosen = form.querySelector(`input[name="${name}"]:checked`);
      for (const part of form.querySelectorAll(`[data-${name}]`)) {
        part.hidden = !chosen || part.dataset[name] !== chosen.value;
      }
    }
  };
  form.addEventListener("change", show);
  show();
})();
