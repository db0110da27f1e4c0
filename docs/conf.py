"""Settings of the documentation; `make docs` builds it."""

import sys
from importlib.metadata import distribution
from pathlib import Path

import imagesize
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_gallery.sorting import ExplicitOrder

import shrinklin
from shrinklin import networks

ROOT = Path(__file__).parents[1]
# datasets/ is not installed.
sys.path.insert(0, str(ROOT))

project = "shrinklin"
author = "The shrinklin developers"
project_copyright = author
version = release = shrinklin.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.py"]
templates_path = ["_templates"]

# Markdown, as code hosts show it too.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# A word in single backticks links to what it names, where there is such a page.
default_role = "autolink"
numpydoc_show_class_members = False
# What is documented as a parameter is one, and all are, in their order.
numpydoc_validation_checks = {"GL03", "GL06", "GL07", "PR01", "PR02", "PR03"}
# Dataclasses document theirs as attributes; short methods say what they take in a sentence.
numpydoc_validation_exclude = {
    r"\.(RegularizationPath|RegressionPath|ClassificationPath|ShrinkPath)$",
    r"\.(Moments|Watched|CostMeter)$",
    r"\.(Claim|Mutant|Outcome|Dataset)$",
    r"\.[A-Z]\w*\.\w+$",
}
# Parameters and what is returned say their types.
autodoc_typehints = "none"
autodoc_default_options = {"inherited-members": True, "member-order": "bysource"}
nitpick_ignore_regex = [
    # Where these are described would have to be fetched (intersphinx): a build needs no network.
    (r"py:.*", r"(sklearn|numpy|scipy|pandas|pyarrow|matplotlib|dask|joblib|hypothesis|torch)\..*"),
    (r"py:.*", r"collections\.abc\..*"),
    # Parameters stand in single backticks too, and modules have such names.
    (r"py:obj", r"[a-z0-9_]+"),
]

# From what a newcomer needs to what is asked of the drafts.
GALLERY = [
    "plot_pipeline.py",
    "plot_tradeoff.py",
    "plot_bridge_identity.py",
    "plot_grid_search.py",
    "plot_cv_one_standard_error.py",
    "plot_mixed_table.py",
    "plot_one_hot_groups.py",
    "plot_imbalanced_classes.py",
    "plot_stability.py",
    "plot_take_away.py",
    "plot_feature_selection.py",
    "plot_xor.py",
    "plot_large_data_by_chunks.py",
    "plot_dask.py",
    "plot_early_pruning.py",
    "plot_switch_trajectories.py",
    "plot_mlp_table.py",
    "plot_networks.py",
    "plot_skorch.py",
    "plot_hooks.py",
    "plot_propositions.py",
]
sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"[/\\]plot_",
    "within_subsection_order": ExplicitOrder(GALLERY),
    "doc_module": ("shrinklin",),
    "reference_url": {"shrinklin": None},
    "backreferences_dir": "gallery/backreferences",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    # Its page of times loads scripts from other hosts.
    "write_computation_times": False,
}
plot_html_show_formats = False
plot_html_show_source_link = False
plot_formats = ["svg"]

html_theme = "pydata_sphinx_theme"
html_title = "shrinklin"
html_show_sourcelink = False
html_use_index = html_domain_indices = False
html_theme_options = {"navigation_with_keys": False, "show_prev_next": True, "show_toc_level": 2}
html_sidebars = {"index": [], "which": []}
html_css_files = ["pages.css"]
# One file, with its fonts: formulas are set without a network.
MATHJAX = distribution("sphinx-mathjax-offline").locate_file(
    "sphinx-mathjax-offline/static/mathjax"
)
html_static_path = ["_static", f"{MATHJAX}/tex-svg.js"]
mathjax_path = "tex-svg.js"


# Pages that include a file from elsewhere: links to it lead to them.
PAGES = {
    "CHANGELOG.md": "changelog",
    "CONTRIBUTING.md": "contributing",
    "NOTES.md": "benchmark_notes",
    "benchmarks/NOTES.md": "benchmark_notes",
    "benchmarks/README.md": "how_fast",
    "benchmarks/results/peers.md": "how_fast",
}


class LinksOfIncludedFiles(SphinxPostTransform):
    """Lead links that are meant from the root of the repository to pages of the site."""

    # Before MyST looks for their targets.
    default_priority = 5

    def run(self, **options):
        """Called by sphinx for every page."""
        for link in self.document.findall(pending_xref):
            path = link["reftarget"].removeprefix("../")
            page = PAGES.get(path) or path.removeprefix("docs/").removesuffix(".md")
            if link["reftype"] == "myst" and path.endswith(".md") and page in self.env.found_docs:
                link["refdomain"], link["reftype"], link["reftarget"] = "std", "doc", f"/{page}"


# Where the public names are described.
PUBLIC = {name: f"shrinklin.networks.{name}" for name in networks.__all__}
PUBLIC |= {name: f"shrinklin.{name}" for name in shrinklin.__all__}


def link_names(app, doctree):
    """Link the public names that stand as code in Markdown to the API reference.

    A code host shows Markdown too, so that roles of sphinx have no place there.
    """
    if not doctree["source"].endswith(".md"):
        return
    for code in list(doctree.findall(nodes.literal)):
        name = code.astext().split("(")[0]
        if name in PUBLIC and not isinstance(code.parent.parent, pending_xref):
            link = pending_xref("", refdomain="py", reftype="obj", reftarget=PUBLIC[name])
            code.replace_self(link)
            link += code


def mark_wide(app, doctree):
    """Let pictures of several parts be told from others in pages.css."""
    for image in doctree.findall(nodes.image):
        # A pixel of an SVG is larger.
        limit = 700 if image["uri"].endswith(".svg") else 1000
        if imagesize.get(Path(app.srcdir, image["uri"]))[0] > limit:
            image["classes"].append("wide")


def leave_to_others(app, what, name, obj, skip, options):
    """Leave out methods of scikit-learn and torch: their texts refer to guides of their own."""
    module = getattr(obj, "__module__", None) or ""
    return True if module.startswith(("sklearn.", "torch.")) else None


def setup(app):
    """Called by sphinx."""
    app.connect("autodoc-skip-member", leave_to_others)
    app.connect("doctree-read", link_names)
    app.connect("doctree-read", mark_wide)
    app.add_post_transform(LinksOfIncludedFiles)
