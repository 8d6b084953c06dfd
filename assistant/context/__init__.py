"""SEE: what the model is shown, and why.

A question goes through these modules, in this order:

- `mention` finds what it names: of the `files` by where the user stands, the `package` that the text speaks of, or a
  name that was changed (`moves`). `query` reads its words in one form (`terms`), `said` the messages pasted into it,
  `failing` what a test calls that failed.
- `repo` and `listing` say which files there are, from `git` and its own index (`git_index`); `ignore` and `out` keep
  files away.
- `indexer`, a child process, reads definitions and uses (`tags`, by `language`) into `index_store`; `index` looks
  them up.
- `rank` scores the files, by their words, by git's `history`, and along the `graph` of definitions and uses.
- `pack` shows what was named first (`named`, of a trace the innermost `frames`), with the rules for it (`ruling`,
  `rules`); `choose` spends the rest of the budget on pieces of files (`segments`) and on names (`repo_map`). `measure`
  counts the tokens.
- `reader` reads each piece through the `gate`, which masks secrets (`values`). The result is a Context (`section`).

Beside it: `completion` of what is typed behind `@`, `diffs` of what changed, and `commit` of what was taken.
"""
