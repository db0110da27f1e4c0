"""The picture of the package and the tables of CONTRIBUTING.md show the code as it is."""

import io
import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Polygon, Rectangle

from test_architecture import ENTRANCE, FLOORS, FOLDERS, SHRINKLIN, Imports, modules_of

pytestmark = pytest.mark.untraced

ROOT = Path(__file__).parents[1]
HOUSE = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "pictures" / "house.py")))
# Where a new file is no new structure: the picture may show it later.
ONE_FILE_EACH = ["display", "losses", "penalties"]
NAMES = {"": HOUSE.SINGLE, "entrance": HOUSE.ENTRANCE}


@pytest.fixture(scope="module")
def folders():
    return HOUSE.read()


@pytest.fixture(scope="module")
def figure(folders):
    with mpl.rc_context(HOUSE.STYLE):
        return HOUSE.draw(folders)


def shown(svg):
    """All texts of a picture, and the arrows by their names."""
    return re.findall(r"<text .*?>(.*?)</text>", svg), re.findall(r'id="(\S+-to-\S+)"', svg)


def reached(arrows):
    """Pairs of folders such that a way of arrows leads from the first to the second."""
    found = set(arrows)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


def out_of_date(svg, folders):
    """Whether the picture shows other things than there are, wherever it has them."""
    texts, arrows = shown(svg)
    words, kept, drawn = re.findall(r"\w+", " ".join(texts)), dict(folders), io.StringIO()
    for name in ONE_FILE_EACH:
        modules = [module for module in folders[name].modules if module in words]
        kept[name] = folders[name]._replace(modules=modules)
    with mpl.rc_context(HOUSE.STYLE):
        HOUSE.draw(kept).savefig(drawn, format="svg")
    return (texts, arrows) != shown(drawn.getvalue())


def test_the_picture_is_up_to_date(folders):
    svg = HOUSE.PICTURE.read_text(encoding="utf-8")
    assert all(shown(svg))
    assert not out_of_date(svg, folders), "run: python docs/pictures/house.py"


PENALTIES = ["bridge1", "bridge2", "group_lasso", "penalty", "sparse_group_lasso"]


@pytest.mark.parametrize(
    ("name", "change", "late"),
    [
        ("penalties", {"modules": [*PENALTIES, "new"]}, False),
        ("penalties", {"modules": PENALTIES[:3]}, True),
        ("penalties", {"purpose": "New."}, True),
        ("penalties", {"imports": {"losses"}}, True),
        ("solvers", {"modules": ["new"]}, True),
        ("new", {}, True),
    ],
)
def test_a_picture_of_other_folders_is_out_of_date(name, change, late, folders):
    new = folders.get(name, folders["data"])._replace(**change)
    svg = HOUSE.PICTURE.read_text(encoding="utf-8")
    assert out_of_date(svg, folders | {name: new}) is late


def test_the_picture_has_the_floors_of_the_rules(folders):
    names = [NAMES.get(name, name) for name in FLOORS]
    assert sorted(names) == sorted(folders)
    for above, below in HOUSE.arrows_of(folders):
        assert names.index(above) > names.index(below)
    modules = {name.rpartition(".")[2] for name in ENTRANCE}
    assert {HOUSE.ENTRANCE, *folders[HOUSE.ENTRANCE].modules} == modules
    packages = [name for name in SHRINKLIN if any(o.startswith(f"{name}.") for o in SHRINKLIN)]
    assert len(SHRINKLIN) == sum(len(f.modules) for f in folders.values()) + len(packages)


def test_arrows_that_are_left_out_follow_from_others(folders):
    arrows = HOUSE.arrows_of(folders)
    imports = [(name, below) for name, folder in folders.items() for below in folder.imports]
    assert reached(arrows) == reached(imports)
    for arrow in arrows:
        assert arrow not in reached(set(arrows) - {arrow})
    floors = HOUSE.floors_of(folders, arrows)
    assert [name for name, floor in floors.items() if floor == 0] == [HOUSE.ENTRANCE]
    assert all(floors[above] < floors[below] for above, below in imports)


def test_what_stands_outside_uses_the_package_and_is_not_used():
    assert set(FOLDERS) - {"shrinklin"} <= set(HOUSE.OUTSIDE)
    for folder in HOUSE.OUTSIDE:
        found = [i for source in modules_of(folder).values() for i, _ in Imports(source).found]
        assert any(map(HOUSE.room_of, found)), folder
    used = {i.split(".")[0] for source in SHRINKLIN.values() for i, _ in Imports(source).found}
    assert not used & set(HOUSE.OUTSIDE)


def test_every_text_is_inside_of_its_box(figure):
    renderer = FigureCanvasAgg(figure).get_renderer()
    (ax,) = figure.axes
    patches = [patch for patch in ax.patches if isinstance(patch, Rectangle | Polygon)]
    boxes = [patch.get_window_extent(renderer) for patch in patches]
    texts = [text.get_window_extent(renderer) for text in ax.texts]
    for text, extent in zip(ax.texts, texts, strict=True):
        x, y = (extent.x0 + extent.x1) / 2, (extent.y0 + extent.y1) / 2
        box = min((b for b in boxes if b.contains(x, y)), key=lambda b: b.width * b.height)
        assert box.x0 < extent.x0 < extent.x1 < box.x1, text
        assert box.y0 < extent.y0 < extent.y1 < box.y1, text
        assert sum(extent.overlaps(other) for other in texts) == 1, text


def test_the_tables_name_every_folder_and_only_modules_that_are_there(folders):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    inside, _, rest = text.partition("Around `shrinklin/` stand:")
    named = []
    for first, _, home in re.findall(r"^\| (`.*) \| (.*) \| (.*) \|$", inside, re.M):
        rooms = re.findall(r"`(\w+)/?`", first)
        modules = {m for room in rooms if room in folders for m in folders[room].modules}
        assert set(re.findall(r"`(\w+)`", home)) <= modules
        named += rooms
    single = folders[HOUSE.SINGLE].modules + folders[HOUSE.ENTRANCE].modules
    assert sorted([*named, "version"]) == sorted(set(folders) - set(NAMES.values()) | set(single))
    assert sorted(re.findall(r"`(\w+)/`", rest.split("\n## ")[0])) == HOUSE.OUTSIDE
