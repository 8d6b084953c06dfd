"""COUNT: what is burnt, what is left, when it returns.

- What we burnt: the `ledger` books each step (an `entry`) in a file (`store`); `tally`, `sums` and `spans` add it up.
- What others burnt: `imports` reads other clients' logs with `importers/`; `gather` takes in what is new, `counted` and
  `marks` count each request once, `buckets` add up.
- What we may burn: `plan` reads pages in `plans/` to a Plan with its Meters (`terms`). A `tariff` weighs a step, a
  `window` or a purse (`lots`) bounds the meter, and `fitting` says whether the plan may pay at all.
- What providers said: `reading`, with `readers/` and `exhaustion`; `sources` keeps it.
- What is left: `past` fetches what matters; for each meter a `gauge` follows burns and readings (`filling`, `burnt`,
  `calibration`, `said`) to an Estimate (`estimate`); `meter` does so for a plan.
- What is ahead: `forecast`, cheaper hours (`hint`), and the user's limits (`caps`).
- What is shown: `wording`, `history`, `report`, `money`, and the `line` for tmux.
- Looking back: `replay` runs an `event` after the other through a plan; `advice` tries all plans on the user's history
  (`trial`, `followed`, `columns`).
"""
