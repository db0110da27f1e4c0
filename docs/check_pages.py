"""Look at every page in Chromium: `python docs/check_pages.py FOLDER [--pictures FOLDER]`.

At the widths of a desk and of a telephone: nothing is wider than the window, every formula is
set, no picture is missing, and nothing is asked of another host.
"""

import argparse
import shutil
import sys
from pathlib import Path

WIDTHS = {"desk": 1280, "phone": 390}
# What is seen of a page, by a script in it.
SEEN = """() => {
    const page = document.documentElement, inside = page.clientWidth + 1
    const clipped = node => node.closest('pre, mjx-container, [class*="scrollable"], .bd-sidebar, '
        + 'dialog, .pst-scrollable-table-container, [hidden], mjx-assistive-mml')
    return {
        wide: page.scrollWidth - page.clientWidth,
        out: [...document.querySelectorAll('main *')]
            .filter(node => node.getBoundingClientRect().right > inside && !clipped(node))
            .map(node => node.tagName + '.' + node.className).slice(0, 3),
        unset: document.querySelectorAll('.math').length
            - document.querySelectorAll('.math > mjx-container, .math > p > mjx-container').length,
        formulas: document.querySelectorAll('mjx-container').length,
        errors: [...document.querySelectorAll('[data-mjx-error], mjx-merror')].length,
        missing: [...document.images].filter(image => image.complete && !image.naturalWidth)
            .map(image => image.src),
    }
}"""


def browser(playwright):
    """playwright's Chromium, or that of the system."""
    system = shutil.which("chromium") or shutil.which("chromium-browser")
    return playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])


def faults(seen, asked):
    """What is wrong, in words."""
    return [
        *([f"{seen['wide']} pixels too wide"] if seen["wide"] > 0 else []),
        *(f"out of the window: {node}" for node in seen["out"]),
        *([f"{seen['unset']} formulas are not set"] if seen["unset"] else []),
        *([f"{seen['errors']} formulas with an error"] if seen["errors"] else []),
        *(f"no picture: {source}" for source in seen["missing"]),
        *(f"asked of another host, or not found: {address}" for address in sorted(asked)),
    ]


def look(window, file, picture):
    """What is seen of a page, and what it asked for and should not have."""
    asked = set()
    window.on("requestfailed", lambda request: asked.add(request.url))
    window.route("http*://**", lambda route: route.abort())
    window.goto(file.resolve().as_uri())
    window.evaluate("() => window.MathJax?.startup?.promise")
    # Pictures that are not in the window yet are loaded late.
    window.evaluate(
        "() => Promise.all([...document.images].map(image => {"
        " image.loading = 'eager'; return image.decode().catch(() => null) }))"
    )
    if picture:
        window.screenshot(path=picture, full_page=True)
    return window.evaluate(SEEN), asked


def check(folder, pictures):
    """Faults of all pages, and how many formulas there are."""
    from playwright.sync_api import sync_playwright

    found, formulas = [], 0
    with sync_playwright() as playwright:
        chromium = browser(playwright)
        for file in sorted(folder.rglob("*.html")):
            name = "_".join(file.relative_to(folder).with_suffix("").parts)
            for device, width in WIDTHS.items():
                window = chromium.new_page(viewport={"width": width, "height": 800})
                picture = pictures and pictures / f"{name}_{device}.png"
                seen, asked = look(window, file, picture)
                found += [f"{file} ({device}): {fault}" for fault in faults(seen, asked)]
                formulas += seen["formulas"]
                window.close()
    return found, formulas


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=Path, help="where to put a picture of every page")
    arguments = parser.parse_args()
    found, formulas = check(arguments.folder, arguments.pictures)
    print(f"{formulas} formulas, {len(found)} faults")
    sys.exit("\n".join(found) if found else 0)
