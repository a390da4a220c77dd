// The codes: swatches, where in the frame a code occurs, and the code under the pointer.

// ---- codes: a grid of swatches, and where in the frame a code is

const planes = new Map(); // of codes, inflated when first needed
async function inflate({ rows, columns, data: text }) {
  const deflated = new Blob([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))]);
  const stream = deflated.stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = rows * columns, codes = new Uint16Array(count);
  for (let i = 0; i < count; i++) codes[i] = bytes[i] | (bytes.length > count ? bytes[count + i] << 8 : 0);
  return { rows, columns, codes };
}
function shownPlane() {
  const key = tests[state.test].frames[state.frame].codes;
  if (key && !planes.has(key)) planes.set(key, inflate(key));
  return key ? planes.get(key) : Promise.resolve(null);
}
const isBlock = (grid) => grid.block[0] * grid.block[1] > 1;
function cell() {
  const grid = tests[state.test].swatches, { stride } = frames[state.frame];
  return isBlock(grid) ? grid.block : [stride, stride];
}

let grid = null, buttons = new Map(), current = null; // the grid shown; `current` takes the Tab key
function fillGrid() {
  grid = tests[state.test].swatches;
  $("codes").hidden = !grid;
  document.querySelector(".bench").classList.toggle("with-codes", Boolean(grid));
  layout();
  state.code = state.pinned = null;
  if (!grid) return;
  const blocks = isBlock(grid), byUse = $("order").getAttribute("aria-pressed") === "true";
  const all = grid.codes.length === grid.total;
  $("codes-title").textContent = `${grid.total.toLocaleString("en")} ${blocks ? `blocks of ${grid.block[1]}\u00a0×\u00a0${grid.block[0]}` : grid.space === "gray" ? "gray levels" : "colors"}`;
  const here = frames.length === 1 ? `one ${unit}` : `${frames.length} ${unit}s`;
  $("codes-note").textContent = `Shares are of the ${here} in this page, which ${frames.length === 1 ? "uses" : "use"} ${grid.used.toLocaleString("en")} of them.` +
    (all ? "" : ` The ${grid.codes.length.toLocaleString("en")} most used are shown.`) +
    (blocks ? " Colors in the table count those of single pixels: each block has its own." : "");
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
  describe();
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

function describe(found) {
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
  const plane = grid && wanted !== null ? await shownPlane() : null;
  if (wanted !== state.code) return;
  $("marks").hidden = !plane;
  if (!grid) return;
  if (!plane) return describe();
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
  describe(found);
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

// The position under the pointer, and its code.
async function point(event) {
  const frame = frames[state.frame], [left, top] = inStage(event);
  const [x, y] = [Math.floor((left - view.x) / view.scale), Math.floor((top - view.y) / view.scale)];
  const plane = grid ? await shownPlane() : null;
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
