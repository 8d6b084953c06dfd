class Jobs:
    def __init__(self):
        self.pending = []

    def put(self, job):
        self.items.append(job)

    def get(self):
        return self.items.pop(0)

    def size(self):
        return len(self.items)
