// Draws the charts in the colours of the page, light or dark.
const dark = window.matchMedia("(prefers-color-scheme: dark)");

function colours(isDark) {
  const text = isDark ? "#e6edf3" : "#1b1f24";
  const line = isDark ? "#3a424c" : "#d0d7de";
  const words = {labelColor: text, titleColor: text, labelFontSize: 12, titleFontSize: 12};
  return {
    background: null,
    font: "system-ui, sans-serif",
    view: {stroke: null},
    axis: {...words, gridColor: line, domainColor: line, tickColor: line},
    legend: words,
    title: {color: text},
    text: {color: text},
  };
}

function draw(isDark) {
  // The interpreter: the page's security policy forbids Vega to compile expressions.
  const options = {actions: false, renderer: "svg", ast: true, config: colours(isDark)};
  return Promise.all(
    Object.entries(charts).map(([name, chart]) => {
      const place = document.getElementById("plot-" + name);
      const caption = place.closest("figure").querySelector("figcaption");
      // Screen readers read the caption in place of the plot.
      return vegaEmbed(place, {...chart, description: caption.textContent}, options);
    }),
  );
}

// In sequence: of two concurrent drawings, the first might finish last.
let drawn = draw(dark.matches);
drawn.then(() => document.body.setAttribute("data-drawn", "yes"));

function drawNext(isDark) {
  drawn = drawn.then(() => draw(isDark));
}

dark.addEventListener("change", (change) => drawNext(change.matches));
window.addEventListener("beforeprint", () => drawNext(false));
window.addEventListener("afterprint", () => drawNext(dark.matches));
