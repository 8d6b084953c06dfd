"""What a user does in the app, for tests: type, wait to see something, press keys on a sheet."""


async def until(pilot, what, tries=400):
    for _ in range(tries):
        if what():
            return
        await pilot.pause(0.02)
    raise AssertionError(f"never came true; the screen says:\n{pilot.app.main.talk.text}")


async def readable(pilot):
    """Wait until what takes the keys could be read: those that come before count for nothing."""
    screen = pilot.app.screen
    takes = screen if hasattr(screen, "grace") else pilot.app.main.hunks
    await until(pilot, lambda: not takes.grace.early)


async def say(pilot, words):
    pilot.app.main.composer.focus()
    pilot.app.main.composer.text = words
    await pilot.press("enter")


async def take(pilot, *keys):
    """Press keys on the screen that opens, once it can have been seen."""
    await until(pilot, lambda: len(pilot.app.screen_stack) == 2)
    await pilot.pause(0.5)
    await pilot.press(*keys)


async def proposed(app, pilot):
    """Ask the practice model, and wait until its hunks have the keys."""
    await until(pilot, lambda: app.session.roster.pick is not None)
    await say(pilot, "add a limit to the kettle")
    await until(pilot, lambda: app.main.hunks.has_focus)
    await readable(pilot)
    return app.main


def seen(pilot):
    """What can be seen of the whole screen, sheets and all."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())
