// Pictures of the tables below them: numbers come in data-chart, colours from the page.
(() => {
  if (!window.Chart) return;
  const locale = document.documentElement.dataset.locale || undefined;
  const drawn = [];

  const palette = () => {
    const page = getComputedStyle(document.documentElement);
    const of = (name) => page.getPropertyValue(name).trim();
    return {
      ink: getComputedStyle(document.body).color,
      grid: of("--rw-line"),
      series: ["--rw-accent", "--rw-warn", "--rw-good", "--rw-bad", "--rw-still"].map(of),
    };
  };

  // Amounts are whole minor units; only here, to be seen, they become numbers with a point.
  const formats = (given) => {
    const scale = 10 ** given.digits;
    const money = given.currency && { style: "currency", currency: given.currency };
    const exact = new Intl.NumberFormat(locale, money || {});
    const short = new Intl.NumberFormat(locale, { ...money, notation: "compact", maximumFractionDigits: 1 });
    return { value: (minor) => minor / scale, exact: (n) => exact.format(n), short: (n) => short.format(n) };
  };

  const datasets = (given, colours, value) => given.series.map((one, place) => {
    const colour = colours.series[place % colours.series.length];
    return {
      label: one.name, data: one.values.map(value), backgroundColor: colour, borderColor: colour,
      borderWidth: given.kind === "line" ? 2 : 0, borderRadius: 4, maxBarThickness: 36,
      pointRadius: 3, tension: 0.25,
    };
  });

  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  const options = (given, colours, format, width) => {
    const numbers = {
      beginAtZero: true, stacked: given.stacked, border: { display: false },
      grid: { color: colours.grid },
      ticks: { color: colours.ink, callback: format.short, precision: given.currency ? undefined : 0, maxRotation: 0, maxTicksLimit: width < 500 && given.horizontal ? 4 : 6 },
    };
    const names = {
      stacked: given.stacked, grid: { display: false }, border: { color: colours.grid },
      ticks: { color: colours.ink, maxRotation: 0, autoSkipPadding: 12 },
    };
    if (given.horizontal) {
      names.ticks.autoSkip = false;
      names.ticks.callback = (_, place) => cut(given.labels[place], Math.max(14, Math.floor(width / 22)));
    }
    const said = (item) => `${item.dataset.label}: ${format.exact(given.horizontal ? item.parsed.x : item.parsed.y)}`;
    return {
      animation: false, responsive: true, maintainAspectRatio: false,
      indexAxis: given.horizontal ? "y" : "x",
      interaction: { mode: "index", intersect: false, axis: given.horizontal ? "y" : "x" },
      scales: given.horizontal ? { x: numbers, y: names } : { x: names, y: numbers },
      plugins: {
        legend: { display: given.series.length > 1, position: "bottom", labels: { color: colours.ink, boxWidth: 12, boxHeight: 12 } },
        tooltip: { callbacks: { label: said } },
      },
    };
  };

  const draw = (box) => {
    const given = JSON.parse(box.dataset.chart);
    box.hidden = false;
    const canvas = box.querySelector("canvas");
    const make = () => {
      const colours = palette();
      const format = formats(given);
      return new window.Chart(canvas, {
        type: given.kind,
        data: { labels: given.labels, datasets: datasets(given, colours, format.value) },
        options: options(given, colours, format, box.clientWidth),
      });
    };
    const kept = { make, chart: make() };
    drawn.push(kept);
  };

  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  window.Chart.defaults.font.size = 12;
  for (const box of document.querySelectorAll("[data-chart]")) draw(box);
  new MutationObserver(() => {
    for (const kept of drawn) {
      kept.chart.destroy();
      kept.chart = kept.make();
    }
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
