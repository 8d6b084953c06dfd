"""The first face: a terminal screen. The only user of textual and pygments.

- `app` opens the `main_screen`; `welcome` says the first words; `terminal` cleans what the terminal sends.
- What is typed: the composer in `widgets/`, with `completing`, and with `quoting` and `label` for the price around it;
  `sending` queues it, and `typeahead` and `key_grace` keep keys from what they are not meant for.
- What happens: `present` shows each event on the widgets: the conversation (`talk_line`, `markdown`, `tables`), the
  hunks (`hunk_rows`, `hunk_lines`, `hunk_cursor`, `hunk_selection`, `lost_lines`) and the meter.
- What is asked: `asking` opens sheets: lists, texts and pages (`pickers`), models (`choosing`, `model_lines`), a switch
  (`switching`), what would be sent (`manifest`), the plans (`board`, `board_lines`), ways out (`ways`, `holding`).
- What is done about a hunk: `reviewing`, and the user's own `editor`.

Modules know the screen only as a Stage (`stage`). All draw with `lines`, `figures`, `highlight` and a `theme`.
"""
