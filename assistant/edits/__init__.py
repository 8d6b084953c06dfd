"""CHANGE: from a reply to a patch, from a patch to the disk and back.

A reply goes through these modules, in this order:

- `format` feeds it, as it streams, to the parsers in `formats/`; what they find are Edits (`edit`).
- `naming`, `filename` and `announced` read from the lines around an edit which file it is for; `remarks` hears what the
  reply says against its own edits.
- `match` puts all edits into their files, one `draft` each: `seek` finds the lines, `variants` undoes what models do to
  lines, `place` chooses the one place, `masks` puts back what the model was not shown. What finds none is a Misfit, and a `refusal` says why.
- `elision`, `suspect` and `passage` stop what cannot be meant: notes in place of code, a part given as the whole file.
- `patch`, `file_patch` and `hunk` hold the result, as `compare` finds it; `git_diff` writes it as a unified diff.
- `review` takes the user's decisions. Where files changed meanwhile, `merge`, `certainty` and `lost` move the hunks.
- `disk` writes all or nothing, through `folder`, to a `path` that is allowed, as bytes that `text` made.
- `journal` keeps each `step` in its `archive` for undo and redo, by `replay`; `mend` ends what a crash broke off.
"""
