// The picture: the frame shown, the divider between original and result, zoom. The page joins picture.js, codes.js,
// charts.js and start.js, in this order, into one function: they share what is declared here.

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const { frames, tests, curves } = data;
const unit = data.loose ? "image" : "frame";
const positions = new Map(curves.frames.map((index, position) => [index, position]));
const state = { test: 0, frame: 0, split: 0.5, code: null, pinned: null };
const clamp = (value, min, max) => Math.min(max, Math.max(min, value));
const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

// ---- the frame shown

const loadPicture = async (source, alt) => {
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
  $("subsampled").hidden = frame.stride === 1;
  $("subsampled").textContent = `To keep this page small, the picture has one pixel of each ${frame.stride} × ${frame.stride}, not their mean.`;
  const figures = own.figures;
  showFigures({ "PSNR, dB": figures.psnr, "Luma, dB": figures.psnr_luma, SSIM: figures.ssim, Flicker: figures.flicker, Colors: figures.colors, Bytes: figures.bytes });
  for (const chart of charts) chart.point();
  const turn = ++latest;
  const pictures = await Promise.all([
    loadPicture(frame.picture, `Original, ${frame.label}`), loadPicture(own.picture, `${test.name}, ${frame.label}`),
  ]);
  if (turn !== latest) return;
  $("before").replaceChildren(pictures[0]);
  $("after").replaceChildren(pictures[1]);
  layout();
  mark();
}

function showFigures(figures) {
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

function showFrame(frame) {
  const next = clamp(frame, 0, frames.length - 1);
  if (next === state.frame) return;
  state.frame = next;
  show();
}

function showNearest(index) {
  const far = frames.map((frame) => Math.abs(positions.get(frame.index) - positions.get(index)));
  showFrame(far.indexOf(Math.min(...far)));
}

// ---- the divider

function setSplit(share) {
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
  setSplit((event.clientX - box.left) / box.width);
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
  setSplit(to);
});

// ---- zoom: `scale` is CSS pixels a picture pixel; whole numbers of screen pixels wherever that is above 1

const view = { fit: true, scale: 1, x: 0, y: 0 };
const pixelRatio = () => window.devicePixelRatio || 1;
const whole = (value) => Math.round(value * pixelRatio()) / pixelRatio();

const CODES_WIDTH = 256; // of the narrowest column of codes, with the gap to it
const bench = document.querySelector(".bench");
const codesBeside = () => bench.classList.contains("with-codes") && matchMedia("(min-width: 761px)").matches;
function fitScale({ width, height }) {
  const room = bench.clientWidth - (codesBeside() ? CODES_WIDTH : 0);
  const largest = Math.min(room / width, Math.max(240, (width > height ? 0.68 : 0.86) * innerHeight) / height);
  const exact = Math.floor(largest * pixelRatio()) / pixelRatio();
  return exact >= 0.7 * largest ? exact : largest;
}

function layout() {
  const frame = frames[state.frame], stage = $("stage"), fit = fitScale(frame);
  const [wide, high] = [frame.width * fit, frame.height * fit];
  if (view.fit) view.scale = fit;
  stage.style.width = $("rail").style.width = `${wide}px`;
  stage.style.height = `${high}px`;
  bench.style.gridTemplateColumns = codesBeside() ? `${wide}px minmax(0, 1fr)` : ""; // codes take what is left
  bench.style.setProperty("--picture", `${high}px`);
  const place = (offset, size, room) => (size <= room ? (room - size) / 2 : clamp(offset, room - size, 0));
  const [across, down] = [frame.width * view.scale, frame.height * view.scale];
  view.x = whole(place(view.x, across, wide));
  view.y = whole(place(view.y, down, high));
  for (const element of [...stage.querySelectorAll("img"), $("marks")]) {
    Object.assign(element.style, { width: `${across}px`, height: `${down}px`, transform: `translate(${view.x}px, ${view.y}px)` });
  }
  const onScreen = view.scale * pixelRatio();
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
  const now = view.scale * pixelRatio(), fit = fitScale(frames[state.frame]) * pixelRatio();
  const steps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((step) => step > fit);
  const next = direction > 0 ? steps.find((step) => step > now + 0.01) : steps.findLast((step) => step < now - 0.01);
  if (next) zoomTo(next / pixelRatio(), x, y);
  else if (direction < 0 || now < fit) fitView();
}

$("in").onclick = () => zoom(1);
$("out").onclick = () => zoom(-1);
$("one").onclick = () => zoomTo(1 / pixelRatio());
$("fit").onclick = fitView;

const fingers = new Map();
let dragging = null, pinchDistance = 0;
const inStage = (event) => {
  const box = $("stage").getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
$("stage").addEventListener("pointerdown", (event) => {
  if (event.button) return;
  const [x] = inStage(event), zoomed = $("stage").classList.contains("zoomed");
  $("stage").setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, event);
  pinchDistance = 0;
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
  const smallest = fitScale(frames[state.frame]);
  if (pinchDistance) {
    const scale = clamp((view.scale * now) / pinchDistance, smallest, 64);
    if (scale === smallest) fitView();
    else zoomTo(scale, (one[0] + two[0]) / 2, (one[1] + two[1]) / 2);
  }
  pinchDistance = now;
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
