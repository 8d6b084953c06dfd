import json


def load(path):
    file = open(path)
    data = json.load(file)
    return data


def save(path, data):
    with open(path, "w") as file:
        json.dump(data, file)
