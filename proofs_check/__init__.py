"""Are the drafts' propositions true? Numerically, with counterexamples.

``python -m proofs_check`` puts every statement, as printed and as corrected, to a search
for counterexamples. Each statement has a module or a folder of its own; `claim` says what a
claim is and how it is tested; `report` prints, draws and writes the results.
"""
