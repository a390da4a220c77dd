"""The page in a real browser: what a person moves, sees, and never loads from the network."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures import save, smooth
from videos import write_video

import streamvq
from streamvq.report.page import write_report

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
NASTY = "a \"b\" 'c' <script>document.title='taken'<!-- ü & ﷽.svq"
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --window-size=1280,900"
)

if not (BROWSER and DRIVER) and "STREAMVQ_NEED_BROWSER" not in os.environ:
    pytest.skip("needs chromium and chromedriver (Debian: chromium, chromium-driver)", allow_module_level=True)

from selenium import webdriver  # noqa: E402  only where there is a browser
from selenium.webdriver import ActionChains, Keys  # noqa: E402
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A short film, its blocks, and its colors under a name that means trouble."""
    folder = tmp_path_factory.mktemp("page")
    film = write_video(folder / "film.mkv", [smooth(48, 64, shift) for shift in range(24)])
    results = [folder / "blocks.svq", folder / NASTY]
    streamvq.compress(film, results[0], 40, block=4)
    streamvq.compress(film, results[1], 16)
    return [film, *results]


@pytest.fixture(scope="module")
def written(clips: list[Path]) -> Path:
    page = clips[0].with_name("report.html")
    write_report(clips[0], clips[1:], page, max_frames=5, command="streamvq report <b> & 'c'")
    return page


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    assert BROWSER, "STREAMVQ_NEED_BROWSER is set, and there is no chromium"
    assert DRIVER, "STREAMVQ_NEED_BROWSER is set, and there is no chromedriver"
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for option in OPTIONS.split():
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield started
    started.quit()


@pytest.fixture
def page(browser: Any, written: Path) -> Iterator[Page]:
    """The page, loaded anew; no test may leave an error in the console."""
    browser.get(written.as_uri())
    shown = Page(browser)
    shown.wait_for("document.querySelector('#before img').naturalWidth")
    yield shown
    assert browser.get_log("browser") == []


class Page:
    """What tests do to the page."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser

    def __call__(self, script: str) -> Any:
        return self.browser.execute_script(f"return {script}")

    def find(self, selector: str) -> Any:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def wait_for(self, script: str) -> None:
        """Until the expression is true; frames and marks come a moment later."""
        wait = "const done = arguments[0]; (function again() { (%s) ? done() : setTimeout(again, 5); })();"
        self.browser.set_script_timeout(5)
        self.browser.execute_async_script(wait % script)

    def actions(self) -> Any:
        return ActionChains(self.browser, duration=0)

    def keys(self, *keys: str) -> None:
        self.actions().send_keys(*keys).perform()

    @property
    def split(self) -> int:
        return int(self.find("#knob").get_attribute("aria-valuenow"))

    @property
    def label(self) -> str:
        return self.find("#label").text

    def marked(self) -> int:
        """How many cells of the canvas over the picture are opaque."""
        return self(
            """(() => {
                const canvas = document.querySelector("#marks canvas");
                const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                return data.filter((value, i) => i % 4 === 3 && value === 255).length;
            })()"""
        )

    def cells(self) -> list[int]:
        return self("(({ width, height }) => [width, height])(document.querySelector('#marks canvas'))")


def counts(path: Path, frame: int) -> np.ndarray:
    """How often each code is in a frame."""
    with streamvq.open(path) as clip:
        return np.bincount(clip.indices[frame].ravel(), minlength=len(clip.codebook))


def frame_of(page: Page) -> int:
    return int(re.findall(r"frame (\d+)", page.label)[0])


def test_it_loads_without_a_word_to_the_console_or_the_network(page: Page) -> None:
    page.browser.get_log("performance")  # the browser's own start
    page.browser.refresh()
    page.wait_for("document.querySelector('#before img').naturalWidth")
    sent = [entry["message"] for entry in page.browser.get_log("performance") if "WillBeSent" in entry["message"]]
    assert sent
    schemes = {scheme for message in sent for scheme in re.findall(r'"url":"(\w+):', message)}
    assert schemes <= {"file", "data"}
    assert page("document.querySelectorAll('[src^=http], [href^=http]').length") == 0
    assert page("document.body.scrollWidth <= innerWidth")


def test_the_divider_follows_the_mouse(page: Page) -> None:
    stage = page.find("#stage")
    width = stage.size["width"]
    page.actions().move_to_element(stage).click_and_hold().move_by_offset(-width // 4, 0).release().perform()
    assert abs(page.split - 25) <= 1
    assert page("document.querySelector('#before').style.clipPath").startswith("inset(0px 7")
    rail = page.find("#rail")
    page.actions().move_to_element_with_offset(rail, width // 4, 10).click().perform()
    assert abs(page.split - 75) <= 1


def test_the_divider_follows_keys(page: Page) -> None:
    knob = page.find("#knob")
    assert (knob.get_attribute("role"), page.split) == ("slider", 50)
    knob.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page.split == 48
    assert knob.get_attribute("aria-valuetext") == "48 % original, 52 % result"
    knob.send_keys(Keys.HOME)
    assert page.split == 0
    knob.send_keys(Keys.PAGE_UP)
    assert page.split == 10
    knob.send_keys(Keys.END)
    assert page.split == 100


def test_it_starts_with_the_worst_frame_and_keys_change_it(page: Page, clips: list[Path]) -> None:
    compared = streamvq.compare(clips[0], clips[1])
    worst = min(compared.frames, key=lambda frame: frame.psnr_db or np.inf)
    assert frame_of(page) == worst.index
    assert f"{worst.psnr_db:.2f}, the lowest" in page.find("#readings").text
    while page.find("#earlier").is_enabled():
        page.keys(",")
    assert frame_of(page) == 0
    page.keys(".", ".")
    page.wait_for("document.querySelector('#before img').alt.includes('frame 12')")
    assert page.label == "frame 12, 0.48 s (3 of 5)"
    page.find("#frame").send_keys(Keys.ARROW_RIGHT)
    assert frame_of(page) == 17


def test_the_pictures_are_the_frames(page: Page, clips: list[Path]) -> None:
    """Every pixel, as the browser decodes it."""
    pixels = """(() => {
        const image = document.querySelector("#%s img"), canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
    })()"""
    index = frame_of(page)
    with streamvq.open_source(clips[0]) as source, streamvq.open(clips[1]) as clip:
        expected = {"before": list(source)[index].pixels, "after": clip[index].pixels}
    for side, frame in expected.items():
        shown = np.array(page(pixels % side), np.uint8).reshape(*frame.shape[:2], 4)
        assert np.array_equal(shown[..., :3], frame)


def test_a_click_on_a_curve_shows_the_nearest_frame_and_the_needle_follows(page: Page) -> None:
    charts = page.browser.find_elements(By.CSS_SELECTOR, "#curves svg")
    assert len(charts) == 4
    needle = "document.querySelector('#curves .needle').getAttribute('x1')"
    before = page(needle)
    width = charts[0].size["width"]
    page.actions().move_to_element_with_offset(charts[0], width // 2 - 9, 0).click().perform()
    assert frame_of(page) == 23
    assert float(page(needle)) > float(before)
    page.actions().move_to_element_with_offset(charts[1], 70 - width // 2, 0).click().perform()
    assert frame_of(page) == 0


@pytest.mark.parametrize("number", [0, 1], ids=["blocks", "colors"])
def test_a_swatch_marks_where_its_code_is(page: Page, clips: list[Path], number: int) -> None:
    page.browser.find_elements(By.NAME, "result")[number].click()
    expected = counts(clips[1 + number], frame_of(page))
    code = int(expected.argmax())
    page.actions().move_to_element(page.find(f".swatch[data-place='{code}']")).perform()
    page.wait_for("document.querySelector('#code').textContent.includes('here')")
    assert page.find("#marks").is_displayed()
    assert page.cells() == [[16, 12], [64, 48]][number]
    assert page.marked() == expected[code]
    kind = ["block", "pixel"][number]
    text = page.find("#code").text
    assert text.startswith(f"code {code}\n")
    assert text.endswith(f"{expected[code]} {kind}s here")
    page.actions().move_to_element(page.find("h1")).perform()
    page.wait_for("document.querySelector('#marks').hidden")


def test_a_chosen_swatch_stays_and_keys_go_on_from_it(page: Page, clips: list[Path]) -> None:
    page.find(".swatch[data-place='3']").click()
    page.actions().move_to_element(page.find("h1")).perform()
    page.wait_for("document.querySelector('#code').textContent.includes('here')")
    assert page.marked() == counts(clips[1], frame_of(page))[3]
    page.keys(Keys.ARROW_RIGHT)
    page.wait_for("document.querySelector('#code').textContent.startsWith('code 4')")
    page.keys(".")
    page.wait_for("!document.querySelector('#marks').hidden")
    page.keys(Keys.ESCAPE)
    page.wait_for("document.querySelector('#marks').hidden")


def test_the_shares_are_those_of_the_frames_in_the_page(page: Page, clips: list[Path]) -> None:
    kept = page("JSON.parse(document.getElementById('data').textContent).frames.map((frame) => frame.index)")
    assert len(kept) == 5
    total = sum(counts(clips[1], index) for index in kept)
    label = page.find(".swatch[data-place='0']").get_attribute("aria-label")
    share = float(re.findall(r"([\d.]+) %", label)[0])
    assert share == pytest.approx(100 * total[0] / total.sum(), rel=0.01)


def test_zoom_is_exact_and_pans(page: Page) -> None:
    def image() -> Any:
        return page("document.querySelector('#before img').getBoundingClientRect().toJSON()")

    assert image()["width"] % 64 == 0
    assert page("getComputedStyle(document.querySelector('#before img')).imageRendering") == "pixelated"
    fitted = image()
    page.keys("+")
    zoomed = image()
    assert zoomed["width"] > fitted["width"]
    assert zoomed["width"] % 64 == 0
    stage = page.find("#stage")
    page.actions().move_to_element_with_offset(stage, -100, 30).click_and_hold().move_by_offset(
        40, 25
    ).release().perform()
    moved = image()
    assert (moved["x"] - zoomed["x"], moved["y"] - zoomed["y"]) == (40, 25)
    assert page.split == 50
    page.keys("1")
    assert image()["width"] == 64
    page.keys("0")
    assert image() == fitted


def test_another_result_is_a_click_away_and_its_name_stays_text(page: Page) -> None:
    page.browser.find_elements(By.NAME, "result")[1].click()
    page.wait_for(f"document.querySelector('#after img').alt.startsWith({NASTY[:6]!r})")
    assert page.find("#shown-test").text == NASTY
    assert page("document.title") == "2 results compared with film.mkv"
    assert page.find("#codes-title").text == "16 colors"
    assert NASTY in page.find(".figures").text
    assert page.find(".command").text == "streamvq report <b> & 'c'"
    labels = [label.text for label in page.browser.find_elements(By.CSS_SELECTOR, "#rates .label")]
    assert labels == ["blocks.svq", NASTY]


def test_dark_and_light(page: Page) -> None:
    def background(scheme: str) -> str:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        return page("getComputedStyle(document.body).backgroundColor")

    light, dark = background("light"), background("dark")
    assert light != dark
    assert page.find("#theme").text == "Light"
    page.find("#theme").click()
    assert background("dark") == light
    assert page.find("#theme").text == "Dark"


def test_a_phone_gets_all_of_it(page: Page, request: pytest.FixtureRequest) -> None:
    def restore() -> None:
        page.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    request.addfinalizer(restore)
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": True}
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    page.wait_for("document.querySelector('#stage').clientWidth <= 358")
    assert page("document.documentElement.scrollWidth") == 390
    lines = "[...document.querySelectorAll('.chart output')].map((e) => e.getClientRects().length && e.clientHeight)"
    assert max(page(lines)) <= 25  # each curve's values are on one line
    width = page("document.querySelector('#before img').getBoundingClientRect().width")
    assert round(3 * width) % 64 == 0  # screen pixels; lengths in CSS are multiples of 1/64


def test_fingers_move_the_divider_and_zoom(page: Page) -> None:
    box = page("document.querySelector('#stage').getBoundingClientRect().toJSON()")
    y = box["y"] + box["height"] / 2

    def touch(kind: str, *shares: float) -> None:
        points = [{"x": box["x"] + share * box["width"], "y": y, "id": number} for number, share in enumerate(shares)]
        page.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def swipe(*steps: tuple[float, ...]) -> None:
        touch("touchStart", *steps[0])
        for step in steps[1:]:
            touch("touchMove", *step)
        touch("touchEnd")

    swipe((0.5,), (0.4,), (0.3,), (0.2,))
    assert abs(page.split - 20) <= 1
    scale = page.find("#scale").text
    page.keys("+")
    swipe((0.45, 0.55), (0.4, 0.6), (0.3, 0.7))
    assert float(page.find("#scale").text.rstrip("×")) > 2 * float(scale.rstrip("×"))
    assert abs(page.split - 20) <= 1


def test_every_control_has_a_name(page: Page) -> None:
    nameless = """[...document.querySelectorAll("button, input, [role]")]
        .filter((element) => !(element.ariaLabel || element.textContent.trim() || element.labels?.length
            || element.getAttribute("aria-labelledby"))).map((element) => element.outerHTML)"""
    assert page(nameless) == []


def test_text_has_contrast(page: Page, request: pytest.FixtureRequest) -> None:
    """At least 4.5 to 1 against the paper, in both dresses (WCAG AA)."""

    def luminance(color: str) -> float:
        levels = [int(level) / 255 for level in re.findall(r"\d+", color)[:3]]
        linear = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        paper = luminance(page("getComputedStyle(document.body).backgroundColor"))
        for selector in ("body", ".reference-name", ".kicker", ".small", "#curves .s0", "#curves .s1", "svg text"):
            style = f"getComputedStyle(document.querySelector('{selector}'))"
            ink = luminance(page(f"{style}.fill" if "text" in selector else f"{style}.color"))
            lighter, darker = max(paper, ink), min(paper, ink)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (scheme, selector)


def test_a_film_without_error_and_a_single_picture(
    browser: Any, clips: list[Path], tmp_path: Path, same_picture: Callable
) -> None:
    write_report(clips[0], [clips[0]], tmp_path / "same.html", max_frames=2)
    sprite = Path(__file__).resolve().parents[2] / "samples" / "photos" / "sprite.png"
    write_report(sprite, [sprite], tmp_path / "one.html")
    for name in ("same.html", "one.html"):
        browser.get((tmp_path / name).as_uri())
        page = Page(browser)
        page.wait_for("document.querySelector('#after img').naturalWidth")
        assert not page.find("#codes").is_displayed()
        assert "exact" in page.find("#readings").text
        assert browser.get_log("browser") == []


def test_the_codes_of_a_portrait_take_the_rest_of_the_row(browser: Any, tmp_path: Path) -> None:
    source = save(smooth(96, 32), tmp_path / "in.png")
    streamvq.compress(source, tmp_path / "out.svq", 16, block=4)
    write_report(source, [tmp_path / "out.svq"], tmp_path / "tall.html")
    browser.get((tmp_path / "tall.html").as_uri())
    page = Page(browser)
    page.wait_for("document.querySelector('#after img').naturalWidth")
    stage, codes, bench = (
        page(f"(({{left, right}}) => [left, right])(document.querySelector('{each}').getBoundingClientRect())")
        for each in ("#stage", "#codes", ".bench")
    )
    assert 0 < codes[0] - stage[1] <= 40
    assert codes[1] == bench[1]
