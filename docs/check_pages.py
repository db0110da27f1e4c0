"""Look at every page in Chromium: `python docs/check_pages.py FOLDER [--pictures FOLDER]`.

At the widths of a desk and of a telephone: nothing is wider than the window, every formula is
set, no picture is missing, and nothing is asked of another host.
"""

import argparse
import shutil
import sys
from pathlib import Path

WIDTHS = {"desk": 1280, "phone": 390}
# What is seen of a page, by a script in it. What scrolls in a box of its own may be wide.
SEEN = """() => {
    // Links to the pages before and after stand behind the article.
    const page = document.documentElement, all = document.querySelector('.bd-article-container')
    const right = page.clientWidth + 1
    const scrolls = node => node !== all && node.parentElement
        && (/auto|scroll/.test(getComputedStyle(node).overflowX) || scrolls(node.parentElement))
    const cut = node => node.getBoundingClientRect().right > right && !scrolls(node)
        && node.closest('mjx-assistive-mml, .headerlink, .tooltip') === null
    const count = query => document.querySelectorAll(query).length
    return {
        wide: page.scrollWidth - page.clientWidth,
        cut: all ? [...all.querySelectorAll('*')].filter(cut)
            .map(node => node.tagName + ' ' + node.textContent.slice(0, 40)).slice(0, 3) : [],
        formulas: count('mjx-container'),
        unset: count('.math') - count('.math > mjx-container, .math > p > mjx-container'),
        errors: count('[data-mjx-error], mjx-merror'),
        missing: [...document.images].filter(image => !image.naturalWidth).map(image => image.src),
    }
}"""
# Pictures that are not in the window yet would be loaded late.
SETTLE = """() => {
    for (const image of document.images) image.loading = 'eager'
    window.formulasAreSet = !window.MathJax
    window.MathJax?.startup?.promise?.then(() => { window.formulasAreSet = true })
}"""
SETTLED = "formulasAreSet && [...document.images].every(image => image.complete)"


def browser(playwright):
    """playwright's Chromium, or that of the system."""
    system = shutil.which("chromium") or shutil.which("chromium-browser")
    return playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])


def faults(seen):
    """What is wrong, in words."""
    return [
        *([f"{seen['wide']} pixels too wide"] if seen["wide"] > 0 else []),
        *(f"cut off at the right: {node!r}" for node in seen["cut"]),
        *([f"{seen['unset']} formulas are not set"] if seen["unset"] else []),
        *([f"{seen['errors']} formulas with an error"] if seen["errors"] else []),
        *(f"no picture: {source}" for source in seen["missing"]),
    ]


def look(chromium, file, picture):
    """Faults of a page and how many formulas it has; `picture` is a path with {device} in it."""
    window, found, seen = chromium.new_page(), [], {}
    window.on("requestfailed", lambda request: found.append(f"{file}: asked for {request.url}"))
    window.route("http*://**", lambda route: route.abort())
    window.goto(file.resolve().as_uri())
    window.evaluate(SETTLE)
    window.wait_for_function(SETTLED)
    for device, width in WIDTHS.items():
        window.set_viewport_size({"width": width, "height": 800})
        if picture:
            window.screenshot(path=picture.format(device=device), full_page=True)
        seen = window.evaluate(SEEN)
        found += [f"{file} ({device}): {fault}" for fault in faults(seen)]
    window.close()
    return found, seen["formulas"]


def check(folder, pictures):
    """Faults of all pages, and how many formulas there are."""
    from playwright.sync_api import sync_playwright

    found, formulas = [], 0
    with sync_playwright() as playwright:
        chromium = browser(playwright)
        pages = {file for file in folder.rglob("*.html") if "_static" not in file.parts}
        for file in sorted(pages):
            name = "_".join(file.relative_to(folder).with_suffix("").parts)
            picture = pictures and str(pictures / f"{name}_{{device}}.png")
            faults_of_page, formulas_of_page = look(chromium, file, picture)
            found, formulas = found + faults_of_page, formulas + formulas_of_page
    return found, formulas


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=Path, help="where to put a picture of every page")
    arguments = parser.parse_args()
    found, formulas = check(arguments.folder, arguments.pictures)
    print(f"{formulas} formulas, {len(found)} faults")
    sys.exit("\n".join(found) if found else 0)
