import time


def fetch(call):
    for attempt in range(3):
        try:
            return call()
        except OSError:
            time.sleep(0)
    raise RuntimeError("gave up")
