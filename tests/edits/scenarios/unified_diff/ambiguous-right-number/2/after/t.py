def test_one(m):
    m.start()
    m.bucket('b')
    m.stop()


def test_two(m):
    m.start()
    m.bucket('b')
    m.stop()


