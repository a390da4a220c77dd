"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { frames, tests, curves } = data;
  const unit = data.loose ? "image" : "frame";
  const positions = new Map(curves.frames.map((index, position) => [index, position]));
  const state = { test: 0, frame: 0, split: 0.5, code: null, pinned: null };
  const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };

  // ---- the frame shown

  const pictureOf = async (source, alt) => {
    const image = make("img", { src: source, alt, draggable: false });
    await image.decode();
    return image;
  };
  let latest = 0; // while pictures are decoded, another frame may be asked for

  async function show() {
    const frame = frames[state.frame], test = tests[state.test], own = test.frames[state.frame];
    $("frame").value = state.frame;
    $("frame").setAttribute("aria-valuetext", frame.label);
    $("label").textContent = `${frame.label} (${state.frame + 1} of ${frames.length})`;
    $("earlier").disabled = state.frame === 0;
    $("later").disabled = state.frame === frames.length - 1;
    $("shown-test").textContent = test.name;
    $("thinned").hidden = frame.step === 1;
    $("thinned").textContent = `To keep this page small, the picture has one pixel of each ${frame.step} × ${frame.step}; none is averaged.`;
    const figures = own.figures;
    read({ "PSNR, dB": figures.psnr, "Luma, dB": figures.psnr_luma, SSIM: figures.ssim, Flicker: figures.flicker, Colors: figures.colors, Bytes: figures.bytes });
    for (const chart of charts) chart.point();
    const turn = ++latest;
    const pictures = await Promise.all([
      pictureOf(frame.picture, `Original, ${frame.label}`), pictureOf(own.picture, `${test.name}, ${frame.label}`),
    ]);
    if (turn !== latest) return;
    $("before").replaceChildren(pictures[0]);
    $("after").replaceChildren(pictures[1]);
    layout();
    mark();
  }

  function read(figures) {
    const worst = lowest(state.test) === state.frame && frames.length > 1;
    const rows = Object.entries(figures).filter(([, text]) => text !== "–").map(([name, text]) =>
      make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: text + (name.startsWith("PSNR") && worst ? ", the lowest" : "") })));
    const pointer = make("div", { className: "pointer", id: "pointer" });
    $("readings").replaceChildren(...rows, pointer);
  }

  function lowest(test) {
    const values = frames.map((frame) => curves.tests[test].psnr_db[positions.get(frame.index)] ?? Infinity);
    return values.indexOf(Math.min(...values));
  }

  function choose(frame) {
    const next = clamp(frame, 0, frames.length - 1);
    if (next === state.frame) return;
    state.frame = next;
    show();
  }

  function chooseNearest(index) {
    const far = frames.map((frame) => Math.abs(positions.get(frame.index) - positions.get(index)));
    choose(far.indexOf(Math.min(...far)));
  }

  // ---- the divider

  function split(share) {
    state.split = clamp(share, 0, 1);
    const percent = 100 * state.split;
    $("before").style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
    $("after").style.clipPath = `inset(0 0 0 ${percent}%)`;
    $("line").style.left = $("knob").style.left = `${percent}%`;
    $("knob").setAttribute("aria-valuenow", Math.round(percent));
    $("knob").setAttribute("aria-valuetext", `${Math.round(percent)} % original, ${Math.round(100 - percent)} % result`);
  }
  const splitAt = (event) => {
    const box = $("stage").getBoundingClientRect();
    split((event.clientX - box.left) / box.width);
  };

  $("rail").addEventListener("pointerdown", (event) => {
    $("rail").setPointerCapture(event.pointerId);
    $("knob").focus({ preventScroll: true });
    event.preventDefault();
    splitAt(event);
  });
  $("rail").addEventListener("pointermove", (event) => event.buttons && splitAt(event));
  $("knob").addEventListener("keydown", (event) => {
    const small = event.shiftKey ? 0.1 : 0.01;
    const to = {
      ArrowLeft: state.split - small, ArrowDown: state.split - small, ArrowRight: state.split + small,
      ArrowUp: state.split + small, PageDown: state.split - 0.1, PageUp: state.split + 0.1, Home: 0, End: 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    split(to);
  });

  // ---- zoom: `scale` is CSS pixels a picture pixel; whole numbers of screen pixels wherever that is above 1

  const view = { fit: true, scale: 1, x: 0, y: 0 };
  const dots = () => window.devicePixelRatio || 1;
  const whole = (value) => Math.round(value * dots()) / dots();

  function fitScale({ width, height }) {
    const most = Math.min($("stage").parentElement.clientWidth / width, Math.max(240, 0.68 * innerHeight) / height);
    const exact = Math.floor(most * dots()) / dots();
    return exact >= 0.7 * most ? exact : most;
  }

  function layout() {
    const frame = frames[state.frame], stage = $("stage"), fit = fitScale(frame);
    const [wide, high] = [frame.width * fit, frame.height * fit];
    if (view.fit) view.scale = fit;
    stage.style.width = $("rail").style.width = `${wide}px`;
    stage.style.height = `${high}px`;
    const place = (offset, size, room) => (size <= room ? (room - size) / 2 : clamp(offset, room - size, 0));
    const [across, down] = [frame.width * view.scale, frame.height * view.scale];
    view.x = whole(place(view.x, across, wide));
    view.y = whole(place(view.y, down, high));
    for (const element of [...stage.querySelectorAll("img"), $("marks")]) {
      Object.assign(element.style, { width: `${across}px`, height: `${down}px`, transform: `translate(${view.x}px, ${view.y}px)` });
    }
    const onScreen = view.scale * dots();
    stage.classList.toggle("pixels", onScreen >= 1);
    stage.classList.toggle("zoomed", view.scale > fit);
    $("scale").textContent = onScreen >= 1 ? `${+onScreen.toFixed(2)}×` : `${Math.round(100 * onScreen)} %`;
    $("fit").disabled = view.fit;
    sizeMarks();
  }

  function zoomTo(scale, x = $("stage").clientWidth / 2, y = $("stage").clientHeight / 2) {
    view.x = x - ((x - view.x) * scale) / view.scale;
    view.y = y - ((y - view.y) * scale) / view.scale;
    Object.assign(view, { scale, fit: false });
    layout();
  }
  const fitView = () => { view.fit = true; layout(); };
  function zoom(direction, x, y) {
    const now = view.scale * dots(), fit = fitScale(frames[state.frame]) * dots();
    const steps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((step) => step > fit);
    const next = direction > 0 ? steps.find((step) => step > now + 0.01) : steps.findLast((step) => step < now - 0.01);
    if (next) zoomTo(next / dots(), x, y);
    else if (direction < 0 || now < fit) fitView();
  }

  $("in").onclick = () => zoom(1);
  $("out").onclick = () => zoom(-1);
  $("one").onclick = () => zoomTo(1 / dots());
  $("fit").onclick = fitView;

  const fingers = new Map();
  let dragging = null, spread = 0;
  const inStage = (event) => {
    const box = $("stage").getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  $("stage").addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const [x] = inStage(event), zoomed = $("stage").classList.contains("zoomed");
    $("stage").setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    spread = 0;
    dragging = zoomed && Math.abs(x - state.split * $("stage").clientWidth) > 14 ? "picture" : "line";
    if (dragging === "line" && event.pointerType === "mouse") splitAt(event);
  });
  $("stage").addEventListener("pointermove", (event) => {
    point(event);
    const before = fingers.get(event.pointerId);
    if (!before) return;
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) return pinch();
    if (dragging === "line") return splitAt(event);
    view.x += event.clientX - before.clientX;
    view.y += event.clientY - before.clientY;
    layout();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    $("stage").addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  function pinch() {
    const [one, two] = [...fingers.values()].map(inStage);
    const now = Math.hypot(one[0] - two[0], one[1] - two[1]);
    const least = fitScale(frames[state.frame]);
    if (spread) {
      const scale = clamp((view.scale * now) / spread, least, 64);
      if (scale === least) fitView();
      else zoomTo(scale, (one[0] + two[0]) / 2, (one[1] + two[1]) / 2);
    }
    spread = now;
  }
  $("stage").addEventListener("dblclick", (event) => zoom(1, ...inStage(event)));
  $("stage").addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    zoom(-Math.sign(event.deltaY), ...inStage(event));
  }, { passive: false });
  $("stage").addEventListener("keydown", (event) => {
    const [across, down] = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    if (across === undefined || !$("stage").classList.contains("zoomed")) return;
    event.preventDefault();
    view.x += 60 * across;
    view.y += 60 * down;
    layout();
  });

  // ---- codes: a grid of swatches, and where in the frame a code is

  const planes = new Map(); // of codes, inflated when first needed
  async function inflate({ rows, columns, data: text }) {
    const packed = new Blob([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))]);
    const stream = packed.stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    const count = rows * columns, codes = new Uint16Array(count);
    for (let i = 0; i < count; i++) codes[i] = bytes[i] | (bytes.length > count ? bytes[count + i] << 8 : 0);
    return { rows, columns, codes };
  }
  function planeShown() {
    const key = tests[state.test].frames[state.frame].codes;
    if (key && !planes.has(key)) planes.set(key, inflate(key));
    return key ? planes.get(key) : Promise.resolve(null);
  }
  const isBlock = (grid) => grid.block[0] * grid.block[1] > 1;
  function cell() {
    const grid = tests[state.test].swatches, { step } = frames[state.frame];
    return isBlock(grid) ? grid.block : [step, step];
  }

  let grid = null, buttons = new Map(), current = null; // the grid shown; `current` takes the Tab key
  function fillGrid() {
    grid = tests[state.test].swatches;
    $("codes").hidden = !grid;
    document.querySelector(".bench").classList.toggle("with-codes", Boolean(grid));
    state.code = state.pinned = null;
    if (!grid) return;
    const blocks = isBlock(grid), byUse = $("order").getAttribute("aria-pressed") === "true";
    const all = grid.codes.length === grid.total;
    $("codes-title").textContent = `${grid.total.toLocaleString("en")} ${blocks ? `blocks of ${grid.block[1]}\u00a0×\u00a0${grid.block[0]}` : grid.space === "gray" ? "gray levels" : "colors"}`;
    const here = frames.length === 1 ? `one ${unit}` : `${frames.length} ${unit}s`;
    $("codes-note").textContent = `Shares are of the ${here} in this page, which ${frames.length === 1 ? "uses" : "use"} ${grid.used.toLocaleString("en")} of them.` +
      (all ? "" : ` The ${grid.codes.length.toLocaleString("en")} most used are shown.`);
    $("codes").style.setProperty("--sheet", grid.picture ? `url("${grid.picture}")` : "none");
    $("grid").classList.toggle("large", blocks || grid.codes.length <= 64);
    const order = [...grid.codes.keys()];
    if (byUse) order.sort((one, other) => grid.shares[other] - grid.shares[one] || one - other);
    buttons = new Map();
    $("grid").replaceChildren(...order.map((place) => {
      const button = make("button", { type: "button", className: "swatch", tabIndex: -1 });
      button.setAttribute("role", "option");
      button.setAttribute("aria-selected", "false");
      button.setAttribute("aria-label", `code ${grid.codes[place]}, ${blocks ? "mean " : ""}${grid.colors[place]}, ${percent(grid.shares[place])}`);
      button.classList.toggle("unused", !grid.shares[place]);
      button.dataset.place = place;
      paint(button, place);
      buttons.set(grid.codes[place], button);
      return button;
    }));
    current = $("grid").firstElementChild;
    current.tabIndex = 0;
    tell();
  }
  const percent = (share) => (share ? `${+(100 * share).toPrecision(3)} %` : "not used");

  function paint(element, place) {
    element.style.background = "";
    if (!grid.picture) {
      element.style.backgroundColor = grid.colors[place];
      return;
    }
    const rows = Math.ceil(grid.codes.length / grid.columns);
    const [row, column] = [Math.floor(place / grid.columns), place % grid.columns];
    Object.assign(element.style, {
      backgroundImage: "var(--sheet)", aspectRatio: `${grid.block[1]} / ${grid.block[0]}`,
      backgroundSize: `${100 * grid.columns}% ${100 * rows}%`,
      backgroundPosition: `${(100 * column) / (grid.columns - 1)}% ${(100 * row) / Math.max(1, rows - 1)}%`,
    });
  }

  function tell(found) {
    const place = state.code === null ? -1 : grid.codes.indexOf(state.code);
    $("sample").hidden = place < 0;
    if (place < 0) {
      $("code").textContent = `Point at one, or choose it, to see where this ${unit} has it.`;
      return;
    }
    paint($("sample"), place);
    const color = grid.colors[place], levels = color.match(/[0-9a-f]{2}/g).map((pair) => parseInt(pair, 16));
    const value = grid.space === "gray" ? `level ${levels[0]}` : isBlock(grid) ? color : `${color}  ${levels.join(" ")}`;
    const here = found === undefined ? "" : `\n${found.toLocaleString("en")} ${isBlock(grid) ? "block" : "pixel"}${found === 1 ? "" : "s"} here`;
    $("code").textContent = `code ${state.code}\n${isBlock(grid) ? "mean " : ""}${value}\n${percent(grid.shares[place])}${grid.shares[place] ? ` of all ${isBlock(grid) ? "blocks" : "pixels"}` : ""}${here}`;
  }

  async function mark() {
    const canvas = $("marks").firstElementChild, wanted = state.code;
    for (const [code, button] of buttons) button.setAttribute("aria-selected", String(code === state.pinned));
    const plane = grid && wanted !== null ? await planeShown() : null;
    if (wanted !== state.code) return;
    $("marks").hidden = !plane;
    if (!grid) return;
    if (!plane) return tell();
    canvas.width = plane.columns;
    canvas.height = plane.rows;
    const image = new ImageData(plane.columns, plane.rows), words = new Uint32Array(image.data.buffer);
    let found = 0;
    for (let i = 0; i < words.length; i++) {
      const hit = plane.codes[i] === wanted;
      words[i] = hit ? 0xffc43bff : 0x99101010; // ABGR: magenta, and a veil over all else
      found += hit;
    }
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.dataset.found = found;
    sizeMarks();
    tell(found);
  }
  function sizeMarks() {
    const canvas = $("marks").firstElementChild;
    if (!grid) return;
    const [high, wide] = cell();
    Object.assign(canvas.style, { width: `${canvas.width * wide * view.scale}px`, height: `${canvas.height * high * view.scale}px` });
  }
  function pick(code) {
    if (state.code === code) return;
    state.code = code;
    mark();
  }
  function pin(code) {
    state.pinned = state.code = code;
    mark();
  }

  const codeOf = (event) => {
    const place = event.target.closest(".swatch")?.dataset.place;
    return place === undefined ? null : grid.codes[place];
  };
  const moveTab = (button) => {
    current.tabIndex = -1;
    current = button;
    current.tabIndex = 0;
  };
  $("grid").addEventListener("pointerover", (event) => event.pointerType === "mouse" && codeOf(event) !== null && pick(codeOf(event)));
  $("grid").addEventListener("pointerleave", () => pick(state.pinned));
  $("grid").addEventListener("focusin", (event) => {
    moveTab(event.target);
    if (event.target.matches(":focus-visible")) pick(codeOf(event));
  });
  $("grid").addEventListener("focusout", () => pick(state.pinned));
  $("grid").addEventListener("click", (event) => {
    const code = codeOf(event);
    if (code !== null) pin(code === state.pinned ? null : code);
  });
  $("grid").addEventListener("keydown", (event) => {
    const all = [...$("grid").children], at = all.indexOf(current);
    const across = all.findIndex((button) => button.offsetTop > all[0].offsetTop);
    const row = across < 0 ? all.length : across;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - row, ArrowDown: at + row, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[clamp(to, 0, all.length - 1)].focus();
  });
  $("order").setAttribute("aria-pressed", "false");
  $("order").onclick = () => {
    const pressed = $("order").getAttribute("aria-pressed") !== "true";
    $("order").setAttribute("aria-pressed", String(pressed));
    const kept = state.pinned;
    fillGrid();
    pin(kept);
  };

  // What is under the pointer: its place, and its code.
  async function point(event) {
    const frame = frames[state.frame], [left, top] = inStage(event);
    const [x, y] = [Math.floor((left - view.x) / view.scale), Math.floor((top - view.y) / view.scale)];
    const plane = grid ? await planeShown() : null;
    let text = `x ${x}  y ${y}`;
    for (const button of $("grid").querySelectorAll(".here")) button.classList.remove("here");
    if (x < 0 || y < 0 || x >= frame.width || y >= frame.height) text = "";
    else if (plane) {
      const [high, wide] = cell();
      const code = plane.codes[Math.floor(y / high) * plane.columns + Math.floor(x / wide)];
      buttons.get(code)?.classList.add("here");
      text += `  code ${code}`;
    }
    $("pointer").replaceChildren(make("dd", { textContent: text }));
  }
  $("stage").addEventListener("pointerleave", () => {
    $("pointer").replaceChildren();
    for (const button of $("grid").querySelectorAll(".here")) button.classList.remove("here");
  });

  // ---- curves

  const blank = new DOMParser().parseFromString("<svg></svg>", "text/html").querySelector("svg");
  const draw = (name, attributes, text) => {
    const element = document.createElementNS(blank.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const thousands = (value) => Math.round(value).toLocaleString("en");
  const KINDS = [
    { key: "psnr_db", title: "PSNR", unit: "dB", text: (value) => value.toFixed(2), none: "exact" },
    { key: "ssim", title: "SSIM", unit: "", text: (value) => value.toFixed(4) },
    { key: "bytes_test", title: "Bytes", unit: `per ${unit}`, text: thousands, zero: true },
    { key: "flicker", title: "Flicker", unit: "%", factor: 100, text: (value) => value.toFixed(2), zero: true },
  ];
  const charts = [];

  function niceSteps(least, most, count) {
    const raw = (most - least) / count || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw * 0.999);
    const first = Math.floor(least / step), last = Math.ceil(most / step);
    return Array.from({ length: Math.max(2, last - first + 1) }, (_, i) => +((first + i) * step).toPrecision(12));
  }

  class Chart {
    constructor(kind) {
      this.kind = kind;
      const scaled = (values) => values.map((value) => (value === null ? null : value * (kind.factor ?? 1)));
      this.lines = curves.tests.map((test) => scaled(test[kind.key]));
      this.original = kind.key === "bytes_test" ? curves.bytes_reference : [];
      this.known = [...this.lines, this.original].flat().filter((value) => value !== null && value !== undefined);
      if (!this.lines.flat().some((value) => value !== null)) return; // nothing is known of any result
      this.readout = make("output", {});
      this.element = make("div", { className: "chart" }, make("header", {}, make("span", {}, make("b", { textContent: kind.title }), ` ${kind.unit}${this.original.some((value) => value !== null) ? "; dotted: the original" : ""}`), this.readout));
      this.svg = draw("svg", { role: "img" });
      this.svg.setAttribute("aria-label", `${kind.title} of each ${unit}: ${kind.text(Math.min(...this.known))} to ${kind.text(Math.max(...this.known))} ${kind.unit}`);
      this.element.append(this.svg);
      $("curves").append(this.element);
      this.svg.addEventListener("pointermove", (event) => this.tell(this.under(event)));
      this.svg.addEventListener("pointerleave", () => this.point());
      this.svg.addEventListener("click", (event) => chooseNearest(curves.frames[this.under(event)]));
      charts.push(this);
    }
    x(position) {
      const of = data.loose ? curves.frames.map((_, i) => i) : curves.frames;
      const [first, last] = [of[0], of.at(-1)], inset = data.loose ? 14 : 0;
      return this.left + inset + ((of[position] - first) / (last - first || 1)) * (this.wide - 2 * inset);
    }
    y(value) {
      const [least, most] = [this.steps[0], this.steps.at(-1)];
      return 8 + (1 - (value - least) / (most - least)) * this.high;
    }
    under(event) {
      const at = event.clientX - this.svg.getBoundingClientRect().left;
      const far = curves.frames.map((_, position) => Math.abs(this.x(position) - at));
      return far.indexOf(Math.min(...far));
    }
    draw() {
      const { kind } = this, full = this.element.clientWidth;
      const low = Math.min(...this.known), top = Math.max(...this.known);
      this.steps = niceSteps(kind.zero ? 0 : low, top === low ? low + (Math.abs(low) || 1) * 0.01 : top, 4);
      const labels = this.steps.map((step) => step.toLocaleString("en", { maximumFractionDigits: 6 }));
      this.left = 62; // the same for all, so that a moment is one line down the page
      this.wide = full - this.left - 8;
      this.high = 124;
      this.svg.setAttribute("viewBox", `0 0 ${full} 166`);
      this.svg.style.height = "166px";
      const base = 8 + this.high, parts = [];
      this.steps.forEach((step, i) => {
        const y = this.y(step);
        parts.push(draw("line", { class: i ? "gridline" : "axis", x1: this.left, x2: this.left + this.wide, y1: y, y2: y }));
        parts.push(draw("text", { x: this.left - 8, y: y + 4, "text-anchor": "end" }, labels[i]));
      });
      for (const frame of frames) {
        const x = this.x(positions.get(frame.index));
        parts.push(draw("line", { class: "held", x1: x, x2: x, y1: base + 3, y2: base + 9 }));
      }
      const last = curves.frames.length - 1;
      if (data.loose) parts.push(draw("text", { x: this.left, y: base + 26 }, `${curves.frames.length} images, in order`));
      else {
        parts.push(draw("text", { x: this.left, y: base + 26 }, `frame ${curves.frames[0]}`));
        parts.push(draw("text", { x: this.left + this.wide, y: base + 26, "text-anchor": "end" }, curves.frames[last]));
      }
      if (this.original.some((value) => value !== null)) parts.push(...this.line(this.original, "original"));
      this.lines.forEach((line, i) => parts.push(...this.line(line, `s${i % 8}${i === state.test ? " chosen" : ""}`)));
      this.needle = draw("g", {});
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
        if (data.loose || alone) dots.push(draw("circle", { class: `dot ${name}`, cx: this.x(i), cy: this.y(value), r: data.loose ? 4 : 2 }));
      });
      return data.loose ? dots : [draw("path", { class: `curve ${name}`, d: path }), ...dots]; // nothing is between loose images
    }
    point() {
      if (!this.steps) return;
      const position = positions.get(frames[state.frame].index), x = this.x(position);
      this.needle.replaceChildren(draw("line", { class: "needle", x1: x, x2: x, y1: 2, y2: 8 + this.high + 9 }));
      const value = this.lines[state.test][position];
      if (value !== null) this.needle.append(draw("circle", { class: "at", cx: x, cy: this.y(value), r: 4 }));
      this.tell(position);
    }
    tell(position) {
      const { kind } = this;
      const few = this.lines.length <= 4; // else the result shown speaks alone
      const values = this.lines.map((line, i) => few || i === state.test
        ? make("span", { className: `s${i % 8}`, textContent: `  ${line[position] === null ? kind.none ?? "–" : kind.text(line[position])}` }) : "");
      const original = this.original[position] ?? null;
      this.readout.replaceChildren(curves.labels[position], ...values, original === null ? "" : `  (${kind.text(original)})`);
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
    const ticksOf = (least, most) => {
      if (!logs) return niceSteps(least, most, full < 600 ? 4 : 8);
      const all = [];
      for (let power = Math.floor(Math.log10(least)); power <= Math.ceil(Math.log10(most)); power++) all.push(...[1, 2, 5].map((digit) => +(digit * 10 ** power).toPrecision(3)));
      const first = all.findLastIndex((tick) => tick <= least), last = all.findIndex((tick) => tick >= most);
      return all.slice(Math.max(0, first), last + 1);
    };
    const across = ticksOf(Math.min(...rates), Math.max(...rates)), down = niceSteps(Math.min(...levels), Math.max(...levels), 4);
    const turn = logs ? Math.log : Number;
    const x = (rate) => left + ((turn(rate) - turn(across[0])) / (turn(across.at(-1)) - turn(across[0]))) * (full - left - right);
    const y = (level) => base - ((level - down[0]) / (down.at(-1) - down[0])) * (base - 24);
    const svg = draw("svg", { viewBox: `0 0 ${full} ${high}`, role: "img", "aria-label": "Bits per pixel and PSNR of each result, as in the table above" });
    svg.style.height = `${high}px`;
    svg.append(draw("text", { x: 0, y: 10 }, "PSNR, dB"));
    svg.append(draw("text", { x: full - right, y: high - 4, "text-anchor": "end" }, `bits per pixel${logs ? ", logarithmic" : ""}`));
    for (const [i, level] of down.entries()) {
      svg.append(draw("line", { class: i ? "gridline" : "axis", x1: left, x2: full - right, y1: y(level), y2: y(level) }));
      svg.append(draw("text", { x: left - 8, y: y(level) + 4, "text-anchor": "end" }, level));
    }
    for (const rate of across) {
      svg.append(draw("line", { class: "gridline", x1: x(rate), x2: x(rate), y1: 24, y2: base + 4 }));
      svg.append(draw("text", { x: x(rate), y: base + 18, "text-anchor": "middle" }, rate));
    }
    const taken = points.map((point) => [x(point.bits_per_pixel) - 8, y(point.psnr_db) - 8, 16, 16]);
    const free = ([l, t, w, h]) => taken.every(([a, b, c, d]) => l >= a + c || l + w <= a || t >= b + d || t + h <= b);
    for (const point of points) {
      const [px, py] = [x(point.bits_per_pixel), y(point.psnr_db)], width = 7.3 * point.name.length + 4;
      const places = [0, -15, 15, -30, 30, -45, 45].flatMap((shift) => [[px + 14, py + shift], [px - 14 - width, py + shift]]);
      const inside = places.filter(([l, t]) => l > 0 && l + width < full && t > 16 && t < base - 4);
      const [lx, ly] = inside.find(([l, t]) => free([l, t - 7, width, 14])) ?? inside[0] ?? [4, py - 14];
      taken.push([lx, ly - 7, width, 14]);
      const group = draw("g", { class: `choice s${point.i % 8}` });
      if (ly !== py) group.append(draw("line", { stroke: "currentColor", x1: px, y1: py, x2: lx < px ? lx + width : lx - 2, y2: ly }));
      group.append(draw("circle", { class: "dot", cx: px, cy: py, r: point.i === state.test ? 6 : 4.5 }));
      if (point.i === state.test) group.append(draw("circle", { fill: "none", stroke: "var(--needle)", "stroke-width": 2, cx: px, cy: py, r: 9 }));
      group.append(draw("text", { class: "label", x: lx, y: ly + 4 }, point.name));
      group.addEventListener("click", () => chooseTest(point.i));
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

  function chooseTest(number) {
    state.test = number;
    for (const input of document.getElementsByName("result")) input.checked = Number(input.value) === number;
    fillGrid();
    drawAll();
    show();
  }
  for (const input of document.getElementsByName("result")) input.onchange = () => chooseTest(Number(input.value));

  // ---- the page

  const dark = matchMedia("(prefers-color-scheme: dark)");
  let theme = null; // what was chosen; null: the system's
  function dress() {
    const now = theme ?? (dark.matches ? "dark" : "light");
    document.documentElement.style.colorScheme = theme ?? "";
    $("theme").textContent = now === "dark" ? "Light" : "Dark";
    $("theme").setAttribute("aria-label", `Change to ${now === "dark" ? "light" : "dark"} colors`);
  }
  $("theme").onclick = () => {
    theme = (theme ?? (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
    dress();
  };
  dark.addEventListener("change", dress);

  $("frame").max = frames.length - 1;
  $("frame").oninput = () => choose(Number($("frame").value));
  $("earlier").onclick = () => choose(state.frame - 1);
  $("later").onclick = () => choose(state.frame + 1);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      ",": () => choose(state.frame - 1), ".": () => choose(state.frame + 1), "+": () => zoom(1), "-": () => zoom(-1),
      0: fitView, 1: () => zoomTo(1 / dots()), Escape: () => grid && pin(null),
    }[event.key];
    if (act) act();
  });

  for (const element of document.querySelectorAll(".script")) element.hidden = false;
  document.querySelector(".frames").hidden = frames.length === 1;
  $("marks").hidden = true;
  dress();
  split(0.5);
  state.frame = lowest(0);
  fillGrid();
  if (curves.frames.length > 1) for (const kind of KINDS) new Chart(kind);
  let width = 0;
  new ResizeObserver(() => {
    if (document.body.clientWidth === width) return;
    width = document.body.clientWidth;
    drawAll();
    layout();
  }).observe(document.body);
  addEventListener("resize", layout);
  show();
})();
