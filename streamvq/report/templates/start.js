// The page as a whole: the result shown, theme, keys, and the first drawing.

function showTest(number) {
  state.test = number;
  for (const input of document.getElementsByName("result")) input.checked = Number(input.value) === number;
  fillGrid();
  drawAll();
  show();
}
for (const input of document.getElementsByName("result")) input.onchange = () => showTest(Number(input.value));

// ---- the page

const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = null; // what was chosen; null: the system's
function applyTheme() {
  const now = theme ?? (dark.matches ? "dark" : "light");
  document.documentElement.style.colorScheme = theme ?? "";
  $("theme").textContent = now === "dark" ? "Light" : "Dark";
  $("theme").setAttribute("aria-label", `Change to ${now === "dark" ? "light" : "dark"} colors`);
}
$("theme").onclick = () => {
  theme = (theme ?? (dark.matches ? "dark" : "light")) === "dark" ? "light" : "dark";
  applyTheme();
};
dark.addEventListener("change", applyTheme);

$("frame").max = frames.length - 1;
$("frame").oninput = () => showFrame(Number($("frame").value));
$("earlier").onclick = () => showFrame(state.frame - 1);
$("later").onclick = () => showFrame(state.frame + 1);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const act = {
    ",": () => showFrame(state.frame - 1), ".": () => showFrame(state.frame + 1), "+": () => zoom(1), "-": () => zoom(-1),
    0: fitView, 1: () => zoomTo(1 / pixelRatio()), Escape: () => grid && pin(null),
  }[event.key];
  if (act) act();
});

for (const element of document.querySelectorAll(".script")) element.hidden = false;
document.querySelector(".frames").hidden = frames.length === 1;
$("marks").hidden = true;
applyTheme();
setSplit(0.5);
state.frame = lowest(0);
fillGrid();
if (curves.frames.length > 1) for (const series of SERIES) new Chart(series);
let width = 0;
new ResizeObserver(() => {
  if (document.body.clientWidth === width) return;
  width = document.body.clientWidth;
  drawAll();
  layout();
}).observe(document.body);
addEventListener("resize", layout);
show();
