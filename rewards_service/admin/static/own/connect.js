// Tabs that do not fit: the one that is open comes into view.
(() => {
  const open = document.querySelector(".tabs [aria-current]");
  if (open) open.closest(".tabs").scrollLeft = open.offsetLeft - 24;
})();

// Asks at once what the server would ask: a transaction needs an option that finds customers.
(() => {
  const options = document.querySelector("[data-options]");
  if (!options) return;
  const box = (name) => options.querySelector(`[name="${name}"]`);
  const ask = options.querySelector("[data-ask-third]");
  const third = box("create_transaction");
  const finders = [box("convert_lead"), box("associate_deal")];
  const look = () => {
    const asked = document.querySelector("[name=all_off]");  // by the server already
    ask.hidden = Boolean(asked) || !third.checked || finders.some((finder) => finder.checked);
  };
  options.addEventListener("change", look);
  ask.querySelector("[data-third-off]").addEventListener("click", () => {
    third.checked = false;
    look();
    third.focus();
  });
})();
