"""Nothing that a page loads comes from another host: `python docs/check_resources.py FOLDER`.

It ends with the list of hosts that pages link to, which is not an error.
"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
# Of `link` those that are no more than a reference.
REFERENCES = {"canonical", "next", "prev", "search", "index", "genindex", "license", "author"}
IN_STYLES = re.compile(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s]+)")


class Page(HTMLParser):
    """What a page loads, and what it links to."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.linked = set(), set()
        self.feed(text)
        self.loaded |= set(IN_STYLES.findall(text))

    def handle_starttag(self, tag, attrs):
        """Called by the parser."""
        given = dict(attrs)
        if tag == "a":
            self.linked.add(given.get("href") or "")
        elif tag in LOADS and given.get("rel") not in REFERENCES:
            self.loaded.add(given.get(LOADS[tag]) or "")


def elsewhere(addresses):
    """Those that name a host."""
    return {address for address in addresses if urlsplit(address).netloc}


def check(folder):
    """Addresses that files load from other hosts, as "file: address", and hosts linked to."""
    loaded, hosts = [], set()
    for file in sorted(folder.rglob("*.html")):
        page = Page(file.read_text())
        loaded += [f"{file}: {address}" for address in sorted(elsewhere(page.loaded))]
        hosts |= {urlsplit(address).netloc for address in elsewhere(page.linked)}
    for file in sorted(folder.rglob("*.css")):
        loaded += [f"{file}: {address}" for address in IN_STYLES.findall(file.read_text())]
    return loaded, hosts


if __name__ == "__main__":
    loaded, hosts = check(Path(sys.argv[1]))
    print("links lead to:", ", ".join(sorted(hosts)) or "no other host")
    sys.exit("\n".join(["loaded from another host:", *loaded]) if loaded else 0)
