// The charts: figures frame by frame, and rate and distortion of all results.

// ---- curves

const blank = new DOMParser().parseFromString("<svg></svg>", "text/html").querySelector("svg");
const svgElement = (name, attributes, text) => {
  const element = document.createElementNS(blank.namespaceURI, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const thousands = (value) => Math.round(value).toLocaleString("en");
const SERIES = [
  { key: "psnr_db", title: "PSNR", unit: "dB", text: (value) => value.toFixed(2), none: "exact" },
  { key: "ssim", title: "SSIM", unit: "", text: (value) => value.toFixed(4) },
  { key: "bytes_test", title: "Bytes", unit: `per ${unit}`, text: thousands, zero: true },
  { key: "flicker", title: "Flicker", unit: "%", factor: 100, text: (value) => value.toFixed(2), zero: true },
];
const charts = [];

function niceTicks(min, max, count) {
  const raw = (max - min) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999);
  const first = Math.floor(min / step), last = Math.ceil(max / step);
  return Array.from({ length: Math.max(2, last - first + 1) }, (_, i) => +((first + i) * step).toPrecision(12));
}

class Chart {
  constructor(series) {
    this.series = series;
    const scaled = (values) => values.map((value) => (value === null ? null : value * (series.factor ?? 1)));
    this.lines = curves.tests.map((test) => scaled(test[series.key]));
    this.original = series.key === "bytes_test" ? curves.bytes_reference : [];
    this.known = [...this.lines, this.original].flat().filter((value) => value !== null && value !== undefined);
    if (!this.lines.flat().some((value) => value !== null)) return; // unknown for all results
    this.readout = make("output", {});
    this.element = make("div", { className: "chart" }, make("header", {}, make("span", {}, make("b", { textContent: series.title }), ` ${series.unit}${this.original.some((value) => value !== null) ? "; dotted: the original" : ""}`), this.readout));
    this.svg = svgElement("svg", { role: "img" });
    this.svg.setAttribute("aria-label", `${series.title} of each ${unit}: ${series.text(Math.min(...this.known))} to ${series.text(Math.max(...this.known))} ${series.unit}`);
    this.element.append(this.svg);
    $("curves").append(this.element);
    this.svg.addEventListener("pointermove", (event) => this.describe(this.positionAt(event)));
    this.svg.addEventListener("pointerleave", () => this.point());
    this.svg.addEventListener("click", (event) => showNearest(curves.frames[this.positionAt(event)]));
    charts.push(this);
  }
  x(position) {
    const places = data.loose ? curves.frames.map((_, i) => i) : curves.frames;
    const [first, last] = [places[0], places.at(-1)], inset = data.loose ? 14 : 0;
    return this.left + inset + ((places[position] - first) / (last - first || 1)) * (this.wide - 2 * inset);
  }
  y(value) {
    const [min, max] = [this.steps[0], this.steps.at(-1)];
    return 8 + (1 - (value - min) / (max - min)) * this.high;
  }
  positionAt(event) {
    const at = event.clientX - this.svg.getBoundingClientRect().left;
    const far = curves.frames.map((_, position) => Math.abs(this.x(position) - at));
    return far.indexOf(Math.min(...far));
  }
  draw() {
    const { series } = this, full = this.element.clientWidth;
    const low = Math.min(...this.known), top = Math.max(...this.known);
    this.steps = niceTicks(series.zero ? 0 : low, top === low ? low + (Math.abs(low) || 1) * 0.01 : top, 4);
    const labels = this.steps.map((step) => step.toLocaleString("en", { maximumFractionDigits: 6 }));
    this.left = 62; // the same for all charts, so that a frame is at the same place in each
    this.wide = full - this.left - 8;
    this.high = 124;
    this.svg.setAttribute("viewBox", `0 0 ${full} 166`);
    this.svg.style.height = "166px";
    const base = 8 + this.high, parts = [];
    this.steps.forEach((step, i) => {
      const y = this.y(step);
      parts.push(svgElement("line", { class: i ? "gridline" : "axis", x1: this.left, x2: this.left + this.wide, y1: y, y2: y }));
      parts.push(svgElement("text", { x: this.left - 8, y: y + 4, "text-anchor": "end" }, labels[i]));
    });
    for (const frame of frames) {
      const x = this.x(positions.get(frame.index));
      parts.push(svgElement("line", { class: "held", x1: x, x2: x, y1: base + 3, y2: base + 9 }));
    }
    const last = curves.frames.length - 1;
    if (data.loose) parts.push(svgElement("text", { x: this.left, y: base + 26 }, `${curves.frames.length} images, in order`));
    else {
      parts.push(svgElement("text", { x: this.left, y: base + 26 }, `frame ${curves.frames[0]}`));
      parts.push(svgElement("text", { x: this.left + this.wide, y: base + 26, "text-anchor": "end" }, curves.frames[last]));
    }
    if (this.original.some((value) => value !== null)) parts.push(...this.line(this.original, "original"));
    this.lines.forEach((line, i) => parts.push(...this.line(line, `s${i % 8}${i === state.test ? " chosen" : ""}`)));
    this.needle = svgElement("g", {});
    this.svg.replaceChildren(...parts, this.needle);
    this.point();
  }
  line(values, name) {
    let path = "";
    const dots = [];
    const known = (i) => values[i] !== null && values[i] !== undefined;
    values.forEach((value, i) => {
      if (!known(i)) return;
      const place = `${this.x(i).toFixed(2)} ${this.y(value).toFixed(2)}`;
      path += (known(i - 1) ? "L" : "M") + place;
      const alone = !known(i - 1) && !known(i + 1);
      if (data.loose || alone) dots.push(svgElement("circle", { class: `dot ${name}`, cx: this.x(i), cy: this.y(value), r: data.loose ? 4 : 2 }));
    });
    return data.loose ? dots : [svgElement("path", { class: `curve ${name}`, d: path }), ...dots]; // no lines between unrelated images
  }
  point() {
    if (!this.steps) return;
    const position = positions.get(frames[state.frame].index), x = this.x(position);
    this.needle.replaceChildren(svgElement("line", { class: "needle", x1: x, x2: x, y1: 2, y2: 8 + this.high + 9 }));
    const value = this.lines[state.test][position];
    if (value !== null) this.needle.append(svgElement("circle", { class: "at", cx: x, cy: this.y(value), r: 4 }));
    this.describe(position);
  }
  describe(position) {
    const { series } = this;
    const few = this.lines.length <= 4; // else of the result shown only
    const values = this.lines.map((line, i) => few || i === state.test
      ? make("span", { className: `s${i % 8}`, textContent: `  ${line[position] === null ? series.none ?? "–" : series.text(line[position])}` }) : "");
    const original = this.original[position] ?? null;
    this.readout.replaceChildren(curves.labels[position], ...values, original === null ? "" : `  (${series.text(original)})`);
  }
}

// ---- rate and distortion

function drawRates() {
  if (!$("rates")) return;
  const points = tests.map((test, i) => ({ ...test, i })).filter((test) => test.bits_per_pixel !== null && test.psnr_db !== null);
  if (!points.length) return void $("rates").replaceChildren("No result has both a size and an error.");
  const full = $("rates").clientWidth, high = full < 600 ? 260 : 340, left = 44, right = 18, base = high - 42;
  const rates = points.map((point) => point.bits_per_pixel), levels = points.map((point) => point.psnr_db);
  const logs = Math.max(...rates) > 6 * Math.min(...rates);
  const ticksOf = (min, max) => {
    if (!logs) return niceTicks(min, max, full < 600 ? 4 : 8);
    const all = [];
    for (let power = Math.floor(Math.log10(min)); power <= Math.ceil(Math.log10(max)); power++) all.push(...[1, 2, 5].map((digit) => +(digit * 10 ** power).toPrecision(3)));
    const first = all.findLastIndex((tick) => tick <= min), last = all.findIndex((tick) => tick >= max);
    return all.slice(Math.max(0, first), last + 1);
  };
  const across = ticksOf(Math.min(...rates), Math.max(...rates)), down = niceTicks(Math.min(...levels), Math.max(...levels), 4);
  const turn = logs ? Math.log : Number;
  const x = (rate) => left + ((turn(rate) - turn(across[0])) / (turn(across.at(-1)) - turn(across[0]))) * (full - left - right);
  const y = (level) => base - ((level - down[0]) / (down.at(-1) - down[0])) * (base - 24);
  const svg = svgElement("svg", { viewBox: `0 0 ${full} ${high}`, role: "img", "aria-label": "Bits per pixel and PSNR of each result, as in the table above" });
  svg.style.height = `${high}px`;
  svg.append(svgElement("text", { x: 0, y: 10 }, "PSNR, dB"));
  svg.append(svgElement("text", { x: full - right, y: high - 4, "text-anchor": "end" }, `bits per pixel${logs ? ", logarithmic" : ""}`));
  for (const [i, level] of down.entries()) {
    svg.append(svgElement("line", { class: i ? "gridline" : "axis", x1: left, x2: full - right, y1: y(level), y2: y(level) }));
    svg.append(svgElement("text", { x: left - 8, y: y(level) + 4, "text-anchor": "end" }, level));
  }
  for (const rate of across) {
    svg.append(svgElement("line", { class: "gridline", x1: x(rate), x2: x(rate), y1: 24, y2: base + 4 }));
    svg.append(svgElement("text", { x: x(rate), y: base + 18, "text-anchor": "middle" }, rate));
  }
  const taken = points.map((point) => [x(point.bits_per_pixel) - 8, y(point.psnr_db) - 8, 16, 16]);
  const free = ([l, t, w, h]) => taken.every(([a, b, c, d]) => l >= a + c || l + w <= a || t >= b + d || t + h <= b);
  for (const point of points) {
    const [px, py] = [x(point.bits_per_pixel), y(point.psnr_db)], width = 7.3 * point.name.length + 4;
    const places = [0, -15, 15, -30, 30, -45, 45].flatMap((shift) => [[px + 14, py + shift], [px - 14 - width, py + shift]]);
    const inside = places.filter(([l, t]) => l > 0 && l + width < full && t > 16 && t < base - 4);
    const [lx, ly] = inside.find(([l, t]) => free([l, t - 7, width, 14])) ?? inside[0] ?? [4, py - 14];
    taken.push([lx, ly - 7, width, 14]);
    const group = svgElement("g", { class: `choice s${point.i % 8}` });
    if (ly !== py) group.append(svgElement("line", { stroke: "currentColor", x1: px, y1: py, x2: lx < px ? lx + width : lx - 2, y2: ly }));
    group.append(svgElement("circle", { class: "dot", cx: px, cy: py, r: point.i === state.test ? 6 : 4.5 }));
    if (point.i === state.test) group.append(svgElement("circle", { fill: "none", stroke: "var(--needle)", "stroke-width": 2, cx: px, cy: py, r: 9 }));
    group.append(svgElement("text", { class: "label", x: lx, y: ly + 4 }, point.name));
    group.addEventListener("click", () => showTest(point.i));
    svg.append(group);
  }
  $("rates").replaceChildren(svg);
  const rest = tests.filter((test) => test.psnr_db === null && test.bits_per_pixel !== null).map((test) => `${test.name}: exact, at ${test.bits_per_pixel.toFixed(3)} bits per pixel`);
  if (rest.length) $("rates").append(make("p", { className: "small", textContent: rest.join("; ") }));
}

function drawAll() {
  for (const chart of charts) chart.draw();
  drawRates();
}
