"""Are the drafts' propositions true? Numerically, with counterexamples.

``python -m proofs_check`` puts every statement, as printed and as corrected, to a search
for counterexamples. One module a statement; `claim` says what a claim is and how it is
tested; `report` prints, draws and writes what came of it.
"""
