"""The first face: a terminal screen. The only user of textual and pygments."""
