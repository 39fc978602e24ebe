// Ctrl-K: a combobox (ARIA practices) over /search, which without scripts is a page of its own.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const form = dialog.querySelector("form");
  const field = dialog.querySelector("[role=combobox]");
  const list = dialog.querySelector("[role=listbox]");
  const said = dialog.querySelector("[data-palette-said]");
  const PAUSE = 120;
  let timer = 0;
  let asking = null; // the request under way
  let shown = null; // the text whose lines are shown

  const options = () => [...list.querySelectorAll("[role=option]")];
  const active = () => document.getElementById(field.getAttribute("aria-activedescendant") || "");

  const activate = (option) => {
    for (const one of options()) one.setAttribute("aria-selected", String(one === option));
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  };
  const fill = (html, text) => {
    list.innerHTML = html; // drawn by our own server, escaped there
    shown = text;
    const found = options();
    field.setAttribute("aria-expanded", String(found.length > 0));
    said.textContent = found.length === 1 ? "1 result" : found.length
      ? `${found.length} results` : "Nothing is called that. Ids and e-mail addresses are found when they are complete.";
    activate(found[0]);
  };
  const ask = async () => {
    clearTimeout(timer);
    if (asking) asking.abort();
    const text = field.value.trim();
    if (text === shown) return;
    const request = asking = new AbortController();
    try {
      const query = new URLSearchParams({ q: text, part: "results" });
      const answer = await fetch(`${form.getAttribute("action")}?${query}`,
        { signal: request.signal, headers: { "HX-Request": "true" } });
      const elsewhere = answer.headers.get("HX-Redirect"); // the session has ended
      if (elsewhere) { location.assign(elsewhere); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      fill(await answer.text(), text);
    } catch (error) {
      if (error.name === "AbortError") return;
      list.replaceChildren();
      activate(null);
      shown = null;
      said.textContent = "That could not be asked just now. Enter opens the search page.";
    }
    if (asking === request) asking = null;
  };

  const open = () => {
    if (document.querySelector("dialog[open]")) return;
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
    dialog.showModal();
    field.focus();
    field.select();
    ask();
  };
  const visit = (option, apart) => {
    if (apart) window.open(option.dataset.address, "_blank", "noopener");
    else location.assign(option.dataset.address);
  };

  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
    const found = options();
    if (!found.length) return;
    event.preventDefault();
    const place = found.indexOf(active()) + (event.key === "ArrowDown" ? 1 : -1);
    activate(found[(place + found.length) % found.length]);
  });
  form.addEventListener("submit", (event) => {
    const option = active();
    // What was typed since is asked by the page, which may go to the thing at once.
    if (!option || field.value.trim() !== shown) return;
    event.preventDefault();
    visit(option, false);
  });
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && option !== active()) activate(option);
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) visit(option, event.ctrlKey || event.metaKey);
  });
  dialog.querySelector("[data-palette-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

  const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
  for (const button of document.querySelectorAll("[data-palette]")) {
    const key = button.querySelector("[data-palette-key]");
    if (key) { key.hidden = false; key.textContent = mac ? "⌘ K" : "Ctrl K"; }
    button.setAttribute("aria-keyshortcuts", mac ? "Meta+K" : "Control+K");
    button.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab: as any link
      event.preventDefault();
      open();
    });
  }
  if (mac) for (const key of document.querySelectorAll("[data-control]")) key.textContent = "⌘";
  document.addEventListener("search-everything", open);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || event.altKey || event.shiftKey) return;
    if (!(mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey)) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
})();
