"""The folders of the package, floor by floor: `python docs/pictures/house.py` draws them again.

All of it is read from the code: the folders, what they are for (their docstrings), and who
imports whom (the syntax trees, so imports inside functions count). For CONTRIBUTING.md.
"""

import ast
from itertools import permutations
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shrinklin"
PICTURE = ROOT / "docs" / "images" / "house.svg"
# The modules outside of all folders: those that a folder imports, and the others.
SINGLE, ENTRANCE = "single modules", "shrinklin"
# What uses the package.
OUTSIDE = ["benchmarks", "datasets", "docs", "examples", "experiments", "fuzz", "proofs_check"]
OUTSIDE += ["tests"]

# In inches: of the sheet, between what stands on it, and of the texts.
WIDTH, MARGIN, GAP, STOREY, CORRIDOR, EAVES = 8.0, 0.4, 0.15, 0.24, 0.4, 0.2
TITLE, LINE, PAD, LETTER = 0.2, 0.155, 0.08, 0.066
FONT, DARK = 8.5, "0.2"
# Texts as texts: a small file, of which a diff can be read.
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "house", "font.sans-serif": ["DejaVu Sans"]}


# --- what is drawn


class Folder(NamedTuple):
    """What a folder is for, its modules, and the folders that these import."""

    purpose: str
    modules: list
    imports: set


def read():
    """Every `Folder` by its name; SINGLE and ENTRANCE are folders too."""
    files = {}
    # A stub stands for a compiled module.
    for file in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyi")]):
        files.setdefault(room_of("shrinklin." + dotted(file)), []).append(file)
    imports = {room: {room_of(name) for f in files[room] for name in imported(f)} for room in files}
    imports = {room: found - {None, room} for room, found in imports.items()}
    folders = {room for room in files if (PACKAGE / room).is_dir()}
    single = set().union(*(reach(room, imports) for room in folders)) - folders
    name = {room: room if room in folders else ENTRANCE for room in files}
    name |= dict.fromkeys(single, SINGLE)
    found = {}
    for each in sorted(set(name.values())):
        rooms = [room for room in files if name[room] == each]
        modules = [in_folder(f) for room in rooms for f in files[room] if f.stem != "__init__"]
        below = {name[other] for room in rooms for other in imports[room]} - {each}
        found[each] = Folder(purpose_of(each), modules, below)
    return found


def dotted(file):
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


def in_folder(file):
    """The name of a module within its folder on a floor."""
    return dotted(file).partition(".")[2] or file.stem


def imported(file):
    """Dotted names of all that a module imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(name):
    """The folder, or the module in none, that an import of the package leads to; else None."""
    package, room = f"{name}.".split(".")[:2]
    if package != PACKAGE.name:
        return None
    modules = PACKAGE / f"{room}.py", PACKAGE / f"{room}.pyi"
    there = (PACKAGE / room).is_dir() or any(file.exists() for file in modules)
    return room if there else "__init__"


def reach(room, imports):
    """All that a room imports, itself or by way of others."""
    return imports[room].union(*(reach(other, imports) for other in imports[room]))


def purpose_of(folder):
    if folder == SINGLE:
        return "One file each, for all folders above."
    file = PACKAGE / ("" if folder == ENTRANCE else folder) / "__init__.py"
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))).replace("`", "")


def arrows_of(folders):
    """The imports (above, below) from which all others follow."""
    imports = {name: folder.imports for name, folder in folders.items()}
    return [
        (above, below)
        for above in imports
        for below in sorted(imports[above])
        if not any(below in reach(other, imports) for other in imports[above])
    ]


def floors_of(folders, arrows):
    """The number of every folder's floor: just below the lowest of those that import it.

    What none imports stands just above the highest that it imports; the entrance above all.
    """

    def floor(name):
        return 1 + max((floor(above) for above, below in arrows if below == name), default=-1)

    floors = {name: floor(name) for name in folders}
    for name in floors.keys() - {below for _, below in arrows} - {ENTRANCE}:
        floors[name] = min(floors[below] for above, below in arrows if above == name) - 1
    return floors


# --- where


def rows_of(floors, arrows):
    """Rows from the top floor down, and the steps of the arrows from each row to the next.

    An arrow that passes a floor has a corridor there: a pair (above, below).
    """
    rows = [[n for n in floors if floors[n] == i] for i in range(1 + max(floors.values()))]
    steps = [[] for _ in rows]
    for above, below in arrows:
        at = above
        for i in range(floors[above], floors[below]):
            to = below if i + 1 == floors[below] else (above, below)
            steps[i].append((at, to))
            rows[i + 1] += [to] if to != below else []
            at = to
    return rows, steps


def places(rows, steps):
    """Ends (left, right) of everything in each row, so ordered that arrows are upright."""
    placed = [{}]
    for row, down in zip(reversed(rows), reversed(steps), strict=True):
        slants = {
            order: sum(apart(ends(order)[one], placed[0][other]) for one, other in down)
            for order in permutations(row)
        }
        placed.insert(0, ends(min(slants, key=slants.get)))
    return placed[:-1]


def ends(row):
    corridors = sum(isinstance(each, tuple) for each in row)
    free = WIDTH - 2 * MARGIN - GAP * (len(row) - 1) - CORRIDOR * corridors
    found, left = {}, MARGIN
    for each in row:
        right = left + (CORRIDOR if isinstance(each, tuple) else free / (len(row) - corridors))
        found[each] = left, right
        left = right + GAP
    return found


def apart(one, other):
    return max(0.0, one[0] - other[1], other[0] - one[1])


# --- the picture


class Box(NamedTuple):
    left: float
    right: float
    bottom: float
    top: float


def draw(folders):
    """The figure, a unit an inch."""
    arrows = arrows_of(folders)
    rows, steps = rows_of(floors_of(folders, arrows), arrows)
    placed = places(rows, steps)
    texts = {
        name: texts_of(folders[name], right - left)
        for row in placed
        for name, (left, right) in row.items()
        if name in folders
    }
    boxes, height = built(placed, texts)
    figure = Figure((WIDTH, height))
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
    ax.set_axis_off()
    draw_around(ax, boxes[ENTRANCE], height)
    for name, (purpose, modules) in texts.items():
        draw_folder(ax, name, boxes[name], purpose, modules)
    for one, other in (step for floor in steps for step in floor):
        draw_step(ax, one, other, boxes)
    return figure


def texts_of(folder, width):
    """Lines of what it is for, and of its modules."""
    letters = int((width - 2 * PAD) / LETTER)
    return wrap(folder.purpose, letters), wrap(", ".join(folder.modules), letters)


def built(placed, texts):
    """The `Box` of everything, and the height of the sheet, from the ground up."""
    boxes, bottom = {}, MARGIN
    for row in reversed(placed):
        lines = max(sum(map(len, texts[name])) for name in row if name in texts)
        top = bottom + 2 * PAD + TITLE + LINE * lines
        boxes |= {each: Box(*at, bottom, top) for each, at in row.items()}
        bottom = top + STOREY
    return boxes, bottom + 2 * PAD + TITLE + LINE


def draw_around(ax, entrance, height):
    """The other folders, the walls and the roof."""
    ax.add_patch(Rectangle((0, 0), WIDTH, height, facecolor="0.9"))
    left, right = entrance.left - GAP, entrance.right + GAP
    ground, wall = MARGIN - GAP, entrance.bottom
    ax.add_patch(Rectangle((left, ground), right - left, wall - ground, facecolor="white"))
    eaves = [(left - EAVES / 2, wall), (right + EAVES / 2, wall)]
    ridge = [(right - 4 * EAVES, entrance.top), (left + 4 * EAVES, entrance.top)]
    ax.add_patch(Polygon(eaves + ridge, facecolor="0.78"))
    first = height - PAD - TITLE / 2
    write(ax, first, [" · ".join(OUTSIDE)], weight="bold")
    write(ax, first - LINE, ["All of these use the package. It uses none of them."])
    arrow(ax, (WIDTH / 2, first - 1.5 * LINE), (WIDTH / 2, entrance.top), "outside")


def draw_folder(ax, name, box, purpose, modules):
    if name != ENTRANCE:
        size = box.right - box.left, box.top - box.bottom
        ax.add_patch(Rectangle((box.left, box.bottom), *size, facecolor="0.96", edgecolor="0.5"))
    middle, first = (box.left + box.right) / 2, box.top - PAD - TITLE / 2
    write(ax, first, [name], middle, weight="bold", size=FONT + 2)
    write(ax, first - TITLE, purpose, middle)
    write(ax, first - TITLE - LINE * len(purpose), modules, middle, color="0.35")


def write(ax, first, lines, middle=WIDTH / 2, **style):
    for i, line in enumerate(lines):
        style = {"size": FONT, "ha": "center", "va": "center"} | style
        ax.text(middle, first - i * LINE, line, **style)


def draw_step(ax, one, other, boxes):
    """An arrow from a floor to the next, or a part of one that passes."""
    start, end = boxes[one], boxes[other]
    x, to = anchor(one, start, end), anchor(other, end, start)
    if isinstance(one, tuple):
        ax.plot([x, x], [start.top, start.bottom], color=DARK, linewidth=1, solid_capstyle="butt")
    if isinstance(other, tuple):
        ax.plot([x, to], [start.bottom, end.top], color=DARK, linewidth=1, solid_capstyle="butt")
    else:
        above = one[0] if isinstance(one, tuple) else one
        arrow(ax, (x, start.bottom), (to, end.top), f"{above}-to-{other}")


def anchor(name, box, other):
    """Where on an edge of its box an arrow from or to that other box is."""
    if isinstance(name, tuple):
        return (box.left + box.right) / 2
    inner = sorted([box.left, box.right, other.left, other.right])[1:3]
    return min(max(sum(inner) / 2, box.left), box.right)


def arrow(ax, start, end, gid):
    style = {"arrowstyle": "-|>", "mutation_scale": 9, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=DARK, gid=gid.replace(" ", "-"), **style))


if __name__ == "__main__":
    with mpl.rc_context(STYLE):
        draw(read()).savefig(PICTURE, metadata={"Date": None, "Creator": None})
