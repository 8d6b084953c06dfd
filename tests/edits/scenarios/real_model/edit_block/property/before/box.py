class Box:
    def __init__(self, width, height):
        self.width = width
        self.height = height

    def area(self):
        return self.width * self.height


def describe(box):
    return f"a box of {box.area()}"
