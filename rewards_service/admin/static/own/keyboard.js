// Pages by keyboard. Without scripts nothing of this is promised: the help opens by script only.
(() => {
  const help = document.getElementById("shortcuts");
  if (!help) return;
  const STORE = "single-keys";
  const stored = () => { try { return localStorage.getItem(STORE); } catch { return null; } };
  const store = (value) => { try { localStorage.setItem(STORE, value); } catch { /* not kept */ } };
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const seen = (element) => element.getClientRects().length > 0;

  // Single keys can be switched off: who dictates, or misses keys, would set them off by chance.
  let single = stored() !== "off";
  const toggle = one("[data-shortcuts-on]", help);
  toggle.checked = single;
  toggle.addEventListener("change", () => {
    single = toggle.checked;
    store(single ? "on" : "off");
    describe();
  });

  const describe = () => {
    for (const part of all("[data-needs]", help)) part.hidden = !one(part.dataset.needs);
    for (const part of all("[data-single]", help)) {
      part.hidden = !single || (part.dataset.needs && !one(part.dataset.needs));
    }
    one("[data-search-words]", help).textContent =
      one("[data-search]") ? "Search this list" : "Search everything";
  };
  const openHelp = () => { describe(); help.showModal(); };
  for (const button of all("[data-shortcuts]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const menu of all("details.menu[open]")) menu.open = false;
      openHelp();
    });
  }
  help.addEventListener("click", (event) => { if (event.target === help) help.close(); });

  // Rows: the current one is where the focus is, or was last.
  const rows = () => all("[data-row]").filter(seen);
  let current = null;
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("[data-row]");
    if (current) delete current.dataset.current;
    if (row) current = row;
    if (row) row.dataset.current = "";
  });
  const go = (row) => {
    let target = one("a[href]", row) || one("[data-pick]", row);
    if (!target) { target = row; row.tabIndex = -1; }
    target.focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const step = (by) => {
    const list = rows();
    if (!list.length) return false;
    const place = list.indexOf(current);
    go(list[place < 0 ? 0 : Math.min(Math.max(place + by, 0), list.length - 1)]);
    return true;
  };

  // Choosing rows, by key and by mouse.
  const picks = () => all("[data-pick]").filter(seen);
  let last = null;
  const choose = (boxes, checked) => {
    for (const box of boxes) {
      if (box.checked === checked) continue;
      box.checked = checked;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };
  const range = (to) => {
    const boxes = picks();
    const [from, until] = [boxes.indexOf(last), boxes.indexOf(to)].sort((a, b) => a - b);
    if (from < 0) choose([to], true);
    else choose(boxes.slice(from, until + 1), true);
    last = to;
  };
  const pick = (extend) => {
    const box = current && current.isConnected && one("[data-pick]", current);
    if (!box) return false;
    if (extend) { range(box); return true; }
    choose([box], !box.checked);
    last = box;
    return true;
  };
  const pickAll = () => {
    const boxes = picks();
    choose(boxes, boxes.some((box) => !box.checked));
    return boxes.length > 0;
  };
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-pick]");
    if (!box) return;
    if (event.shiftKey && box.checked) range(box);
    last = box;
  });

  // The bar below the rows: there once something is chosen, and it says how many are.
  for (const form of all("form[data-bulk]")) {
    const bar = one(".bulk", form);
    const count = one("[data-bulk-count]", form);
    const head = one("th.pick", form);
    const every = document.createElement("input");
    Object.assign(every, { type: "checkbox", className: "form-check-input", title: "Choose all on this page" });
    every.setAttribute("aria-label", every.title);
    every.addEventListener("change", () => choose(all("[data-pick]", form), every.checked));
    if (head) head.append(every);
    const tell = () => {
      const boxes = all("[data-pick]", form);
      const chosen = boxes.filter((box) => box.checked).length;
      every.checked = chosen > 0 && chosen === boxes.length;
      every.indeterminate = chosen > 0 && chosen < boxes.length;
      every.disabled = !boxes.length;
      const words = chosen ? `${chosen} of ${boxes.length} chosen` : "";
      if (count && count.textContent !== words) count.textContent = words;
      if (bar) bar.toggleAttribute("data-none", !chosen);
    };
    form.addEventListener("change", (event) => { if (event.target.matches("[data-pick]")) tell(); });
    addEventListener("pageshow", tell); // browsers bring ticks back
    tell();
  }

  const search = () => {
    const field = all("[data-search]").find(seen);
    if (field) { field.focus(); field.select(); return true; }
    document.dispatchEvent(new Event("search-everything"));
    return true;
  };

  // `g`, then a letter within a moment.
  let going = 0;
  const jump = (letter) => {
    const link = all("[data-jump]", help).find((found) => found.dataset.jump === letter);
    if (link) location.assign(link.href);
    return Boolean(link);
  };
  const KEYS = {
    "/": search,
    "?": () => { openHelp(); return true; },
    j: () => step(1),
    k: () => step(-1),
    x: () => pick(false),
    X: () => pick(true),
    a: pickAll,
  };
  const TYPED = "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]";
  document.addEventListener("keydown", (event) => {
    if (!single || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && "gax/?".includes(event.key)) return;
    if (event.target.closest(TYPED) || one("dialog[open]")) return;
    const after = going && performance.now() - going < 1500;
    going = 0;
    let done = false;
    if (after && event.key !== "g") done = jump(event.key);
    else if (event.key === "g") { going = performance.now(); done = true; }
    else if (Object.hasOwn(KEYS, event.key)) done = KEYS[event.key]();
    if (done) event.preventDefault();
  });
})();
