class Jobs:
    def __init__(self):
        self.pending = []

    def put(self, job):
        self.pending.append(job)

    def get(self):
        return self.pending.pop(0)

    def size(self):
        return len(self.pending)
