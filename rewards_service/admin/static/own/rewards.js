// What pages gain where scripts run. All of them can be read without it.
(() => {
  const locale = document.documentElement.dataset.locale || undefined;
  const zoned = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

  // Times in the reader's zone; the title keeps UTC.
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[data-moment]")) {
      time.textContent = zoned.format(new Date(time.dateTime));
      delete time.dataset.moment;
    }
  };

  const offerCopies = (root) => {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("[data-copy][hidden]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).value);
        say("Copied.");
      });
    }
  };

  // One line that screen readers speak and eyes see for a moment.
  const say = (text) => {
    const region = document.querySelector(".flashes");
    if (!region) return;
    const toast = document.createElement("div");
    toast.className = "toast-line";
    toast.textContent = text;
    region.append(toast);
    setTimeout(() => toast.remove(), 4000);
  };

  const closeMenus = (but) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== but) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.menu[open]");
    closeMenus();
    if (open) open.querySelector("summary").focus();
    else if (location.hash === "#navigation") location.hash = "#content";
  });

  const enhance = (root) => { localise(root); offerCopies(root); };
  enhance(document);
  document.addEventListener("htmx:after:swap", () => enhance(document));

  // After a form that failed: where the eye has to go.
  const wrong = document.querySelector('[aria-invalid="true"], .alert-danger');
  if (wrong) {
    if (!wrong.matches("input, select, textarea")) wrong.tabIndex = -1;
    wrong.focus();
  }
})();
