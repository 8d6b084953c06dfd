"""TALK: which model, how to reach it, what it said.

- Who can be asked: `catalogue` reads the pages in `providers/` (`page`) to Providers and Models (`provider`), with a
  dated `price`; `local` finds servers on this machine, `listing` makes the list to choose from.
- Who is asked: `keys` finds the key, `roles` says who plans and who edits, `switch` what a change of models takes.
- A request: Messages (`message`) that `history` makes legal for any protocol; a module in `wires/` writes the call; the
  seam is `wire`.
- On its way: `client` sends it, to an `address` that may have the key, through a `proxy` if there is one, and retries.
- The answer: bytes wait in the `inbox`, `inflate` and `decode` (`sse`, `json_lines`, `aws_frames`) make events of them,
  the Reader of the wire makes chunks of those, and `batch` joins them.
- What goes wrong: `failure` classes it by status and body, `trouble` inside a stream; `reset` reads until when.
- What was learned: `estimate` how the model counts, `served` who answered, `cold` why the cache was not read.
"""
