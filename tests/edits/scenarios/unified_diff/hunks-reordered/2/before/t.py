def test_one(m):
    m.start()
    m.get_bucket('b')
    m.stop()


def test_two(m):
    m.start()
    m.get_bucket('b')
    m.stop()


